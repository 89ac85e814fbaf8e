import type { Compilable, CompiledQuery } from 'kysely';
import type { StoreError } from './store.js';

/** The keys that a statement may find taken; each is an expected outcome. */
export type UniqueKey = 'task-id' | 'idempotency-key';

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

/** The rows that each statement of a member changed (1 for one that was joined with others), or why it was left out. */
export type MemberOutcome = readonly number[] | StatementError;

/** Statements that are stored together or not at all. */
export interface Member {
  readonly statements: readonly Statement[];
  /** aborted before the commit, the member is left out */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A database as the store needs it: one writer, statements in its own dialect, compiled by kysely. SQLite and MySQL
 * implement it.
 */
export interface SqlEngine extends AsyncDisposable {
  /** Another process works at the transactions, so that this one has time for something else meanwhile. */
  readonly outOfProcess: boolean;
  /** Rejects with StoreError. */
  query<Row>(query: CompiledQuery<Row>): Promise<Row[]>;
  /**
   * Runs the members in one durable transaction. One that is to blame for a failure, or is aborted before the commit, is
   * left out whole, as if it had not been asked for; the others are stored. Resolves with an outcome for each, in order.
   * Rejects with StoreError where the database as a whole is to blame: nothing is stored then. One at a time.
   */
  transaction(members: readonly Member[]): Promise<readonly MemberOutcome[]>;
  /** A statement with nothing expected of it. */
  compile(query: Compilable): Statement;
}

/**
 * `rows`: it ran, but the rows were not as expected; `duplicate`: a unique key is taken; `aborted`: its caller gave it up;
 * `refused`: anything else.
 */
export type StatementFault = 'rows' | 'duplicate' | 'aborted' | 'refused';

/** A statement was refused, or did not find the rows it expected; nothing of its member was stored. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  readonly fault: StatementFault;
  /** as the statement says */
  readonly unique: UniqueKey | undefined;
  /** of `refused`: what the store's caller is told */
  readonly refusal: StoreError | undefined;

  /** `statement`: undefined where it is not known which one it was. */
  constructor(fault: StatementFault, statement: Statement | undefined, refusal?: StoreError) {
    super(MESSAGES[fault], { cause: refusal?.cause });
    this.fault = fault;
    this.unique = statement?.unique;
    this.refusal = refusal;
  }
}

const MESSAGES: Readonly<Record<StatementFault, string>> = {
  rows: 'rows were changed by someone else',
  duplicate: 'a key is taken',
  aborted: 'nobody waits for this any more',
  refused: 'a statement was refused by the database',
};
