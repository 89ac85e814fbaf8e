import type { RawBuilder } from 'kysely';
import type { Statement, UniqueKey } from './engine.js';

/** One kind of write. */
export interface RowWrite<V> {
  /** The statements for these rows; none for none. `scope`: what they are about, see StatementPart. */
  of(scope: string, rows: readonly V[]): readonly Statement[];
}

export interface HostRef {
  readonly id: number;
  readonly host: string;
}

/** A change of a host's status that fails unless it has the status `from`. */
export interface HostChange extends HostRef {
  readonly from: string;
  readonly to: string;
}

export interface HostText extends HostRef {
  readonly stdout: string;
  readonly stderr: string;
}

/** Writes into the table that holds a task's hosts. */
export interface HostWrites {
  readonly insert: RowWrite<HostRef & { readonly status: string }>;
  readonly status: RowWrite<HostChange>;
  readonly output: RowWrite<HostChange & HostText>;
  /** whatever the status; no error if there is no such host */
  readonly outputOnly: RowWrite<HostText>;
}

/** All kinds of write name their table and their place in an order. */
interface WriteSpec {
  readonly table: string;
  /** of two writes into one table for one scope, the lower comes first where statements are joined */
  readonly rank: number;
}

export interface InsertSpec<V> extends WriteSpec {
  readonly columns: readonly (keyof V & string)[];
  /** the key that is taken where the database refuses a row as a duplicate */
  readonly unique?: UniqueKey;
  /** SQL with one `?` for columns that do not take the row's value as it is */
  readonly values?: Readonly<Partial<Record<keyof V & string, string>>>;
}

/** How a column takes a new value where its row is there already. */
export const OnConflict = Object.freeze({
  replace: 'replace',
  /** null replaces nothing */
  replaceUnlessNull: 'replace-unless-null',
  /** only an empty text is replaced */
  replaceEmpty: 'replace-empty',
} as const);
export type OnConflict = (typeof OnConflict)[keyof typeof OnConflict];

/** SQL for the value of such a column; `incoming` and `present` are SQL for the new value and the old one. */
export function resolved(policy: OnConflict, incoming: string, present: string): string {
  switch (policy) {
    case OnConflict.replace:
      return incoming;
    case OnConflict.replaceUnlessNull:
      return `coalesce(${incoming}, ${present})`;
    case OnConflict.replaceEmpty:
      return `case when ${present} = '' then ${incoming} else ${present} end`;
    default:
      return policy satisfies never;
  }
}

export interface UpsertSpec<V> extends InsertSpec<V> {
  readonly key: readonly (keyof V & string)[];
  /** columns that are not named here stay as they are */
  readonly onConflict: Readonly<Partial<Record<keyof V & string, OnConflict>>>;
}

export interface WhereSpec<V> extends WriteSpec {
  /** the columns that tell which row: each has the value given */
  readonly where: readonly (keyof V & string)[];
  /** SQL that must hold for the row besides */
  readonly and?: string;
  /** no row of this other table may have these columns' values, each under its own name there */
  readonly unless?: { readonly table: string; readonly columns: Readonly<Record<string, keyof V & string>> };
  /** for each row given, so many must be found */
  readonly expectRows?: number;
}

export interface UpdateSpec<V> extends WhereSpec<V> {
  readonly set: readonly (keyof V & string)[];
}

/** Makes the writes of one database: each compiled once, and used for many rows. */
export interface WriteMaker {
  /** the database's clock, unix ms, as SQL */
  readonly nowMs: string;
  insert<V>(spec: InsertSpec<V>): RowWrite<V>;
  upsert<V>(spec: UpsertSpec<V>): RowWrite<V>;
  update<V>(spec: UpdateSpec<V>): RowWrite<V>;
  delete<V>(spec: WhereSpec<V>): RowWrite<V>;
  /** Changes nothing; fails where there is no such row, and keeps others from changing it until the commit. */
  lock<V>(spec: WhereSpec<V>): RowWrite<V>;
  hosts(table: string): HostWrites;
}

/** What columns of texts can't hold. */
export interface TextLimits {
  /** Why a column can't hold a text, in words; undefined where it can. */
  problem(table: string, column: string, text: string): string | undefined;
  /** As much of the text as the column can hold. */
  fitting(table: string, column: string, text: string): string;
}

/** The differences between databases, besides how each is reached. */
export interface StoreDialect {
  readonly writes: WriteMaker;
  /** undefined: columns hold every text that the API lets through */
  readonly texts: TextLimits | undefined;
  /** Other programs may write into the database. */
  readonly shared: boolean;
  /** The database's clock, unix ms. */
  readonly nowMs: RawBuilder<number>;
  /** The same in whole seconds. */
  readonly nowSeconds: RawBuilder<number>;
  /** A moment as the column task_meta.created takes it. */
  readonly timeText: (timeMs: number) => string;
  /** The id that the database would give a new task by itself; 1 where it has never given any. */
  nextOwnId(): Promise<number>;
  /** The id of the first task of an empty database, where nobody wishes another. */
  readonly firstId: number;
}
