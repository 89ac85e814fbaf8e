import { setTimeout as wait } from 'node:timers/promises';
import { SqliteError, type default as Database, type Statement as SqliteStatement } from 'better-sqlite3';
import type { Compilable, CompiledQuery } from 'kysely';
import {
  StatementError,
  type Member,
  type MemberOutcome,
  type SqlEngine,
  type Statement,
  type StatementFault,
} from '../engine.js';
import { DeniedError, RefusedError, StoreError } from '../store.js';
import { sqliteProblem } from './sqlite-problems.js';

/** How long another program's lock is waited for, and how often it is tried meanwhile. */
const LOCKED_MS = 5_000;
const LOCKED_RETRY_MS = 20;
/** Prepared statements kept; listing tasks makes new ones without end, so at the limit all are dropped. */
const PREPARED_MOST = 2_000;

/**
 * SQLite behind the engine's face. better-sqlite3 is synchronous: a transaction holds up the event loop for as long as
 * it takes, which for one group commit is about the time of a flush. Waiting for the lock of another program does not.
 */
export class SqliteEngine implements SqlEngine {
  readonly outOfProcess = false;
  readonly #database: Database;
  readonly #prepared = new Map<string, SqliteStatement>();
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  readonly #rollback: SqliteStatement;
  readonly #save: SqliteStatement;
  readonly #undoMember: SqliteStatement;
  readonly #release: SqliteStatement;
  #closed = false;

  /** Takes the database over: closing the engine closes it. */
  constructor(database: Database) {
    this.#database = database;
    database.exec('pragma busy_timeout = 0');
    this.#begin = database.prepare('begin immediate');
    this.#commit = database.prepare('commit');
    this.#rollback = database.prepare('rollback');
    this.#save = database.prepare('savepoint member');
    this.#undoMember = database.prepare('rollback to member');
    this.#release = database.prepare('release member');
  }

  async query<Row>(query: CompiledQuery<Row>): Promise<Row[]> {
    // The rows are as kysely's types say because the schema is: the migrations made both.
    return unlocked(() => this.#prepare(query.sql).all(query.parameters) as Row[]);
  }

  transaction(members: readonly Member[]): Promise<readonly MemberOutcome[]> {
    // No event can abort a member before the commit of an attempt that has the lock.
    return unlocked(() => {
      if (members.every(({ signal }) => signal?.aborted))
        return members.map(() => new StatementError('aborted', undefined));
      try {
        return this.#attempt(members, ({ statements }) => this.#member(statements));
      } catch (error) {
        if (!(error instanceof StatementError)) throw error;
        // A savepoint for each adds a seventh to the time, and seldom is any needed.
        return this.#attempt(members, ({ statements }) => this.#savedMember(statements));
      }
    });
  }

  compile(query: Compilable): Statement {
    const { sql, parameters } = query.compile();
    return { sql, parameters };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#database.close();
  }

  /** Throws StatementError where `run` does, and what SQLite throws. */
  #attempt(members: readonly Member[], run: (member: Member) => MemberOutcome): readonly MemberOutcome[] {
    try {
      this.#begin.run([]);
      const outcomes = members.map((member) =>
        member.signal?.aborted ? new StatementError('aborted', undefined) : run(member),
      );
      // Nothing to store is not worth a flush of the disk.
      if (outcomes.every((outcome) => outcome instanceof StatementError)) this.#rollback.run([]);
      else this.#commit.run([]);
      return outcomes;
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  #savedMember(statements: readonly Statement[]): MemberOutcome {
    this.#save.run([]);
    let outcome: MemberOutcome;
    try {
      outcome = this.#member(statements);
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      this.#undoMember.run([]);
      outcome = error;
    }
    this.#release.run([]);
    return outcome;
  }

  /** As #step throws. */
  #member(statements: readonly Statement[]): readonly number[] {
    return statements.map((statement) => this.#step(statement));
  }

  /** Throws StatementError where the statement is to blame. */
  #step(statement: Statement): number {
    let changes: number;
    try {
      ({ changes } = this.#prepare(statement.sql).run(statement.parameters));
    } catch (error) {
      const fault = statementsFault(error);
      if (fault)
        throw new StatementError(
          fault,
          statement,
          new RefusedError('the database refused to store this', { cause: error }),
        );
      throw error;
    }
    if (statement.expectRows !== undefined && changes !== statement.expectRows) {
      throw new StatementError('rows', statement);
    }
    return changes;
  }

  #prepare(sql: string): SqliteStatement {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      if (this.#prepared.size >= PREPARED_MOST) this.#prepared.clear();
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  #undo(): void {
    try {
      this.#rollback.run([]);
    } catch {
      // None was begun, or SQLite has already rolled back by itself, as it does when the disk is full.
    }
  }
}

/** A value or row that SQLite refuses, in contrast to a file that it can't write. */
function statementsFault(error: unknown): StatementFault | undefined {
  if (!(error instanceof SqliteError)) {
    return error instanceof TypeError || error instanceof RangeError ? 'refused' : undefined;
  }
  if (/^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/.test(error.code)) return 'duplicate';
  return /^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|RANGE)/.test(error.code) ? 'refused' : undefined;
}

/** Runs this, again and again as long as another program holds a lock, for 5 s at most. Rejects with StoreError. */
async function unlocked<T>(run: () => T): Promise<T> {
  const untilMs = performance.now() + LOCKED_MS;
  for (;;) {
    try {
      return run();
    } catch (error) {
      const locked = error instanceof SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
      if (!locked || performance.now() > untilMs) throw asStoreError(error);
    }
    await wait(LOCKED_RETRY_MS);
  }
}

function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (!(error instanceof SqliteError)) return new StoreError('the database does not answer', { cause: error });
  return new DeniedError(`the database refuses: ${sqliteProblem(error.code)}`, { cause: error });
}
