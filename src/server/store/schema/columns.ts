import { isRunReason, type RunReason } from '../../../shared/task-states.js';

/** The databases that a column is declared for. */
export type Database = 'sqlite' | 'mysql';

/** A column of a table of ours: its declaration for each database, and its value between a row and a record. */
export interface Column<Field extends string, Stored, Value> {
  /** the value's name in a record */
  readonly field: Field;
  readonly declared: Readonly<Record<Database, string>>;
  readonly read: (stored: Stored) => Value;
  readonly write: (value: Value) => Stored;
}

interface AnyColumn extends Pick<Column<string, unknown, unknown>, 'field' | 'declared'> {
  readonly read: (stored: never) => unknown;
  readonly write: (value: never) => unknown;
}
/** Columns by their names, in the table's order. */
export type Columns = Readonly<Record<string, AnyColumn>>;
/** A row of a table, as the database has it. */
export type RowOf<C extends Columns> = { readonly [Name in keyof C]: ReturnType<C[Name]['write']> };
/** The same as the rest of the server knows it. */
export type RecordOf<C extends Columns> = {
  readonly [Name in keyof C as C[Name]['field']]: ReturnType<C[Name]['read']>;
};

const ID = kind<number>({ sqlite: 'integer not null', mysql: 'bigint unsigned NOT NULL' });
/** Names of hosts are told apart byte for byte. */
export const HOST = Object.freeze({
  sqlite: 'varchar(128) not null',
  mysql: 'varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL',
});
const host = kind<string>(HOST);
const NUMBER = kind<number>({ sqlite: 'integer not null', mysql: 'bigint NOT NULL' });
const COUNTER = kind<number>({ sqlite: 'integer default 0 not null', mysql: 'bigint NOT NULL DEFAULT 0' });
const TIME_OR_NULL = kind<number | null>({ sqlite: 'integer', mysql: 'bigint' });
const INT_OR_NULL = kind<number | null>({ sqlite: 'integer', mysql: 'int' });
const DIGEST_OR_NULL = kind<string | null>({
  sqlite: 'varchar(64)',
  mysql: 'varchar(64) CHARACTER SET ascii COLLATE ascii_bin',
});
const LONG_TEXT = kind<string>({ sqlite: 'text not null', mysql: 'text NOT NULL' });

/**
 * The tables of our own: every statement, migration and reader takes their columns from here. A new column comes last
 * in its table, and has a default or takes null; the next start adds it to a table that is there. sql/ibex.sql says the
 * same for those who make the tables by hand.
 */
export const OWN_TABLES = {
  /** one row: who this database is */
  ibex_cluster: {
    key: ['id'],
    columns: { id: text(32)('id'), server_key: LONG_TEXT('serverKey'), last_task_id: ID('lastTaskId') },
  },
  /** every start of a script on a host, and how it ended */
  ibex_run: {
    key: ['task_id', 'host', 'clock'],
    columns: {
      task_id: ID('taskId'),
      host: host('host'),
      clock: NUMBER('clock'),
      exit_code: INT_OR_NULL('exitCode'),
      signal: INT_OR_NULL('signal'),
      reason: reason('reason'),
      started_ms: TIME_OR_NULL('startedMs'),
      /** null until the agent's true result is here */
      ended_ms: TIME_OR_NULL('endedMs'),
      stdout_bytes: COUNTER('stdoutBytes'),
      stderr_bytes: COUNTER('stderrBytes'),
      stdout_truncated: flag('stdoutTruncated'),
      stderr_truncated: flag('stderrTruncated'),
      late: flag('late'),
    },
  },
  /** what a task says besides the original columns; tasks that say nothing of it have no row */
  ibex_task: {
    key: ['id'],
    columns: { id: ID('id'), terminal: flag('terminal') },
  },
  /** the agents and the keys that they showed */
  ibex_agent: {
    key: ['host'],
    columns: {
      host: host('host'),
      public_key: text(64)('key'),
      store_id: text(64)('storeId'),
      boot_id: text(64)('bootId'),
      version: text(64)('version'),
      kind: text(32)('kind'),
      first_seen_ms: NUMBER('firstSeenMs'),
      last_seen_ms: NUMBER('lastSeenMs'),
    },
  },
  /** the server processes, each with its last sign of life by the database's clock */
  ibex_server: {
    key: ['instance'],
    columns: {
      instance: ascii(36)('instance'),
      name: text(128)('name'),
      version: text(64)('version'),
      seen_ms: NUMBER('seenMs'),
    },
  },
  /** which agents have a session with each of them; `since_ms` is by the clock of the server's machine */
  ibex_session: {
    key: ['instance', 'host'],
    columns: {
      instance: ascii(36)('instance'),
      host: host('host'),
      address: text(64)('address'),
      since_ms: NUMBER('sinceMs'),
    },
  },
  /** requests that make one task however often they come; `expires_ms` is by the database's clock */
  ibex_idempotency: {
    key: ['request_key'],
    columns: {
      request_key: ascii(64)('key'),
      task_id: ID('taskId'),
      expires_ms: NUMBER('expiresMs'),
      /** of the request's body; null where any body counts as the same request */
      body_digest: DIGEST_OR_NULL('bodyDigest'),
    },
  },
} as const satisfies Readonly<Record<string, { readonly key: readonly string[]; readonly columns: Columns }>>;

export type OwnTable = keyof typeof OWN_TABLES;
// Object.keys gives these and no others; its type says less.
export const OWN_TABLE_NAMES = Object.keys(OWN_TABLES) as readonly OwnTable[];

/** The names of a table's columns, in its order. */
export function columnNames<T extends OwnTable>(
  table: T,
): readonly (keyof (typeof OWN_TABLES)[T]['columns'] & string)[] {
  // Object.keys gives these and no others; its type says less.
  return Object.keys(OWN_TABLES[table].columns) as (keyof (typeof OWN_TABLES)[T]['columns'] & string)[];
}

/** The names of a table's columns, each with its declaration. */
export function declarations(table: OwnTable, database: Database): readonly (readonly [string, string])[] {
  const columns: Columns = OWN_TABLES[table].columns;
  return Object.entries(columns).map(([name, { declared }]) => [name, declared[database]]);
}

type Kind<Stored, Value = Stored> = <Field extends string>(field: Field) => Column<Field, Stored, Value>;

function kind<Stored>(declared: Column<string, Stored, Stored>['declared']): Kind<Stored> {
  return (field) => ({ field, declared, read: (stored) => stored, write: (value) => value });
}

function text(characters: number): Kind<string> {
  return kind({ sqlite: `varchar(${characters}) not null`, mysql: `varchar(${characters}) NOT NULL` });
}

function ascii(characters: number): Kind<string> {
  return kind({
    sqlite: `varchar(${characters}) not null`,
    mysql: `varchar(${characters}) CHARACTER SET ascii COLLATE ascii_bin NOT NULL`,
  });
}

function flag<Field extends string>(field: Field): Column<Field, number, boolean> {
  return {
    field,
    declared: { sqlite: 'integer default 0 not null', mysql: 'tinyint NOT NULL DEFAULT 0' },
    read: (stored) => stored !== 0,
    write: (value) => (value ? 1 : 0),
  };
}

/** A reason that this program does not know reads as none. */
function reason<Field extends string>(field: Field): Column<Field, string | null, RunReason | null> {
  return {
    field,
    declared: { sqlite: 'varchar(32)', mysql: 'varchar(32)' },
    read: (stored) => (isRunReason(stored) ? stored : null),
    write: (value) => value,
  };
}
