import type { Compilable, CompiledQuery } from 'kysely';

/** What a duplicate key means for whoever wrote the statement. */
export type UniqueKey = 'task-id' | 'once-key';

/** One statement of a transaction. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** so many rows must be found and changed, or the transaction is undone */
  readonly expectRows?: number;
  /** the key that is taken where the database refuses this statement as a duplicate */
  readonly unique?: UniqueKey | undefined;
  /** how it may be joined with others of its kind; engines that gain nothing by that pass it over */
  readonly part?: StatementPart;
}

/** The rows of a statement, for an engine that makes one statement of many. */
export interface StatementPart {
  readonly shape: StatementShape;
  readonly rows: readonly unknown[];
  /** what the rows are about, such as a host of a task: parts of different scopes may change places */
  readonly scope: string;
  /** length of all texts in the rows, UTF-16 units */
  readonly textUnits: number;
}

/** A kind of statement that works for any number of rows. */
export interface StatementShape {
  /** shapes of other targets may change places with this one, even in one scope */
  readonly target: string;
  /** of two shapes with one target and scope, the lower comes first; the same twice in a scope is never joined */
  readonly rank: number;
  /** rows of one statement */
  readonly rowsMost: number;
  /** length of the texts in one row, UTF-16 units */
  textUnits(row: unknown): number;
  statement(rows: readonly unknown[]): Statement;
}

/**
 * A database as the store needs it: one writer, statements in its own dialect, compiled by kysely. SQLite and MySQL
 * implement it.
 */
export interface SqlEngine extends AsyncDisposable {
  /** Rejects with StoreError. */
  query<Row>(query: CompiledQuery<Row>): Promise<Row[]>;
  /**
   * Runs the statements in one durable transaction, all or none, and gives the rows that each changed (1 for one that
   * was joined with others). Rejects with StatementError where one of them is to blame, with StoreError where the
   * database as a whole is. One transaction at a time.
   */
  transaction(statements: readonly Statement[]): Promise<number[]>;
  /** A statement with nothing expected of it. */
  compile(query: Compilable): Statement;
}

/** `rows`: it ran, but the rows were not as expected; `duplicate`: a unique key is taken; `refused`: anything else. */
export type StatementFault = 'rows' | 'duplicate' | 'refused';

/** The statement at `index` was refused, or did not find the rows it expected; the transaction was undone. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  readonly index: number;
  readonly fault: StatementFault;

  constructor(index: number, fault: StatementFault, cause?: unknown) {
    super(fault === 'rows' ? 'rows were changed by someone else' : 'a statement was refused by the database', {
      cause,
    });
    this.index = index;
    this.fault = fault;
  }
}
