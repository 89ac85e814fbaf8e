import { sql } from 'kysely';
import type { ActionRow, HostRef, HostWrites, RowWrite, RunRef, Writes } from '../dialect.js';
import type { Statement } from '../engine.js';
import type { AgentTable, RunRow, SessionTable, TaskMetaRow } from '../schema/tables.js';
import { MysqlHostWrites } from './mysql-host-writes.js';
import { insertInto, RowShape, type ShapeText } from './row-shape.js';

const NOW_MS = 'cast(unix_timestamp(now(3)) * 1000 as signed)';

export const MYSQL_NOW_MS = sql<number>`${sql.raw(NOW_MS)}`;
export const MYSQL_NOW_SECONDS = sql<number>`unix_timestamp()`;

/** Order of the shapes of one table within a joined transaction: what a later one relies on comes first. */
const RANK = Object.freeze({
  hold: 0,
  expire: 0,
  held: 1,
  insert: 2,
  delete: 3,
  again: 4,
  kept: 5,
  started: 6,
  ended: 7,
  end: 8,
} as const);

const RUN_KEY = ['task_id', 'host', 'clock'] as const;
const RUN_END = [
  'exit_code',
  'signal',
  'reason',
  'ended_ms',
  'stdout_bytes',
  'stderr_bytes',
  'stdout_truncated',
  'stderr_truncated',
  'late',
] as const;
const AGENT_CHANGING = ['store_id', 'boot_id', 'version', 'kind', 'last_seen_ms'] as const;
const AGENT_COLUMNS = ['host', 'public_key', 'first_seen_ms', ...AGENT_CHANGING] as const;

const HOLD_DOING = 'update `task_host_doing` set `clock` = `clock` where ';
const THIS_DOING = '`id` = ? and `host` = ? and `clock` = ? and `action` = ?';
const DOING_COLUMNS = ['id', 'host', 'clock', 'action'] as const;
/** As in ofActions, and no more rows than in deleteDoing. */
const ORED = Object.freeze({ between: ' or ', rowsMost: 100, rowsEach: 1 } as const);

/** Writes for MySQL and MariaDB, where many rows in one statement cost little more than one. */
export class MysqlWrites implements Writes {
  readonly #hosts = new Map<string, HostWrites>();

  readonly insertMeta = insertInto<TaskMetaRow>(
    'task_meta',
    [
      'id',
      'title',
      'account',
      'batch',
      'tolerance',
      'timeout',
      'pause',
      'script',
      'args',
      'stdin',
      'creator',
      'created',
    ],
    { unique: 'task-id' },
  );
  readonly insertAction = insertInto<{ id: number; action: string; clock: number }>('task_action', [
    'id',
    'action',
    'clock',
  ]);
  readonly insertScheduler = insertInto<{ id: number; scheduler: string }>('task_scheduler', ['id', 'scheduler']);
  readonly insertDoing = insertInto<HostRef & { clock: number; action: string }>(
    'task_host_doing',
    ['id', 'host', 'clock', 'action'],
    { rank: RANK.again },
  );
  readonly deleteDoing = new RowShape<HostRef>({
    target: 'task_host_doing',
    rank: RANK.delete,
    // For one pair in brackets MariaDB reads the whole table; for pairs joined by `or`, or for more than its
    // eq_range_index_dive_limit of 200, it may take the index over host alone.
    single: { text: 'delete from `task_host_doing` where `id` = ? and `host` = ?', columns: ['id', 'host'] },
    rowsMost: 100,
    head: 'delete from `task_host_doing` where (`id`, `host`) in (',
    row: '(?, ?)',
    tail: ')',
    columns: ['id', 'host'],
  });
  readonly dropDoing: Writes['dropDoing'] = {
    of: (_scope, rows) =>
      rows.map(({ id, host, clock }) => ({
        sql: 'delete from `task_host_doing` where `id` = ? and `host` = ? and `clock` = ?',
        parameters: [id, host, clock],
      })),
  };
  readonly lockDoing = new RowShape<DoingRow>({
    target: 'task_host_doing',
    rank: RANK.hold,
    head: HOLD_DOING,
    row: `(${THIS_DOING})`,
    ...ORED,
    columns: DOING_COLUMNS,
  });
  readonly notDispatched = new RowShape<DoingRow>({
    target: 'task_host_doing',
    rank: RANK.held,
    head: HOLD_DOING,
    row:
      `(${THIS_DOING} and not exists (select 1 from \`ibex_run\` ` +
      'where `task_id` = ? and `ibex_run`.`host` = ? and `ibex_run`.`clock` = ?))',
    ...ORED,
    columns: [...DOING_COLUMNS, 'id', 'host', 'clock'],
  });
  readonly runKept = insertInto<RunRef>('ibex_run', ['task_id', 'host', 'clock'], {
    rank: RANK.kept,
    tail: ' on duplicate key update `task_id` = values(`task_id`)',
  });
  readonly runStarted = insertInto<RunRef & { started_ms: number }>(
    'ibex_run',
    ['task_id', 'host', 'clock', 'started_ms'],
    { rank: RANK.started, tail: ` on duplicate key update ${taken('started_ms')}` },
  );
  readonly runEnded = insertInto<RunRow>('ibex_run', [...RUN_KEY, 'started_ms', ...RUN_END], {
    rank: RANK.ended,
    tail: ` on duplicate key update ${taken(...RUN_END)}, \`started_ms\` = coalesce(values(\`started_ms\`), \`started_ms\`)`,
  });
  readonly setAction: Writes['setAction'] = {
    of: (_scope, rows) =>
      rows.map(({ id, action, clock }) => ({
        sql: 'update `task_action` set `action` = ?, `clock` = ? where `id` = ?',
        parameters: [action, clock, id],
        expectRows: 1,
      })),
  };
  readonly touchAction: Writes['touchAction'] = {
    of: (_scope, rows) =>
      rows.map(({ id, clock }) => ({
        sql: 'update `task_action` set `clock` = ? where `id` = ?',
        parameters: [clock, id],
        expectRows: 1,
      })),
  };
  readonly holdAction = new RowShape<ActionRow>({
    target: 'task_action',
    rank: RANK.hold,
    ...ofActions('update `task_action` set `clock` = `clock` where '),
  });
  readonly holdScheduler = new RowShape<{ id: number; scheduler: string }>({
    target: 'task_scheduler',
    rank: RANK.hold,
    // As in deleteDoing: one pair in brackets may be looked for in the whole table.
    single: {
      text: 'update `task_scheduler` set `scheduler` = `scheduler` where `id` = ? and `scheduler` = ?',
      columns: ['id', 'scheduler'],
      rowsEach: 1,
    },
    rowsMost: 100,
    head: 'update `task_scheduler` set `scheduler` = `scheduler` where (`id`, `scheduler`) in (',
    row: '(?, ?)',
    tail: ')',
    columns: ['id', 'scheduler'],
    rowsEach: 1,
  });
  readonly deleteAction = new RowShape<ActionRow>({
    target: 'task_action',
    // After whatever takes the doing rows away.
    rank: RANK.end,
    ...ofActions('delete from `task_action` where ('),
    tail: ') and not exists (select 1 from `task_host_doing` where `task_host_doing`.`id` = `task_action`.`id`)',
  });
  readonly deleteScheduler = new RowShape<{ id: number; scheduler: string }>({
    target: 'task_scheduler',
    rank: RANK.end,
    single: {
      text: 'delete from `task_scheduler` where `id` = ? and `scheduler` = ?',
      columns: ['id', 'scheduler'],
      rowsEach: 1,
    },
    rowsMost: 100,
    head: 'delete from `task_scheduler` where (`id`, `scheduler`) in (',
    row: '(?, ?)',
    tail: ')',
    columns: ['id', 'scheduler'],
    rowsEach: 1,
  });
  readonly idempotencyKey: RowWrite<OnceRow> = new OnceKeyWrite();
  readonly saveAgent = insertInto<AgentTable>('ibex_agent', AGENT_COLUMNS, {
    rank: RANK.again,
    tail: ` on duplicate key update ${taken(...AGENT_CHANGING)}`,
  });
  readonly pinAgent = insertInto<AgentTable>('ibex_agent', AGENT_COLUMNS, {
    tail: " on duplicate key update `public_key` = if(`public_key` = '', values(`public_key`), `public_key`)",
  });

  readonly saveSession = insertInto<SessionTable>('ibex_session', ['instance', 'host', 'address', 'since_ms'], {
    tail: ` on duplicate key update ${taken('address', 'since_ms')}`,
  });
  readonly deleteSession = new RowShape<Pick<SessionTable, 'instance' | 'host'>>({
    target: 'ibex_session',
    rank: RANK.delete,
    // As for task_host_doing: one pair in brackets reads the whole table.
    single: {
      text: 'delete from `ibex_session` where `instance` = ? and `host` = ?',
      columns: ['instance', 'host'],
    },
    rowsMost: 100,
    head: 'delete from `ibex_session` where (`instance`, `host`) in (',
    row: '(?, ?)',
    tail: ')',
    columns: ['instance', 'host'],
  });

  hosts(table: `task_host_${number}`): HostWrites {
    let writes = this.#hosts.get(table);
    if (!writes) {
      writes = new MysqlHostWrites(table);
      this.#hosts.set(table, writes);
    }
    return writes;
  }
}

type DoingRow = HostRef & { readonly clock: number; readonly action: string };

interface OnceRow {
  readonly request_key: string;
  readonly task_id: number;
  readonly ttl_ms: number;
}

class OnceKeyWrite implements RowWrite<OnceRow> {
  readonly #expired = new RowShape<OnceRow>({
    target: 'ibex_idempotency',
    rank: RANK.expire,
    head: 'delete from `ibex_idempotency` where `request_key` in (',
    row: '?',
    tail: `) and \`expires_ms\` <= ${NOW_MS}`,
    columns: ['request_key'],
  });
  readonly #insert = new RowShape<OnceRow>({
    target: 'ibex_idempotency',
    rank: RANK.insert,
    head: 'insert into `ibex_idempotency` (`request_key`, `task_id`, `expires_ms`) values ',
    row: `(?, ?, ${NOW_MS} + ?)`,
    columns: ['request_key', 'task_id', 'ttl_ms'],
    unique: 'once-key',
  });

  of(scope: string, rows: readonly OnceRow[]): Statement[] {
    return [...this.#expired.of(scope, rows), ...this.#insert.of(scope, rows)];
  }
}

/** Rows of task_action that are as expected. */
function ofActions(
  head: string,
): Pick<ShapeText<ActionRow>, 'head' | 'row' | 'between' | 'rowsMost' | 'columns' | 'rowsEach'> {
  return {
    head,
    // Not as triples in brackets, of which the primary key is only a part.
    row: '(`id` = ? and `action` = ? and `clock` = ?)',
    between: ' or ',
    rowsMost: 100,
    columns: ['id', 'action', 'clock'],
    rowsEach: 1,
  };
}

/** For rows that are there already: these columns take the new values. */
function taken(...columns: readonly string[]): string {
  return columns.map((column) => `\`${column}\` = values(\`${column}\`)`).join(', ');
}
