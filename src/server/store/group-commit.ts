import { StatementError, type Member, type MemberOutcome, type SqlEngine, type Statement } from './engine.js';
import { NotWantedError, RefusedError, StaleStateError, StoreError, TaskIdTakenError } from './store.js';

interface Waiting extends Member {
  readonly bytes: number;
  /** called when the signal is aborted */
  readonly giveUp: () => void;
  readonly resolve: (changedRows: readonly number[]) => void;
  readonly reject: (error: Error) => void;
}

export interface GroupLimits {
  /** statements of one transaction; a single member may have more */
  readonly groupStatements: number;
  /** bytes of text of one transaction; a single member may have more */
  readonly groupBytes: number;
  /** bytes waiting for their turn; beyond it, callers are refused with StoreError */
  readonly queueBytes: number;
}

/** Another task holds the idempotency key. Nothing was stored. */
export class IdempotencyKeyTakenError extends Error {
  override readonly name = 'IdempotencyKeyTakenError';
}

export const DEFAULT_LIMITS: GroupLimits = { groupStatements: 20_000, groupBytes: 16 << 20, queueBytes: 256 << 20 };

/** About what a row's numbers take. */
const ROW_BYTES = 64;

/**
 * Makes one transaction of all that is asked for while the one before is under way: a commit costs a disk's flush
 * whatever is in it. There is no timer; the first caller of a quiet moment waits for its turn of the event loop only.
 * A member that can't be stored is left out, and the others are stored in the same transaction. Waiting is limited to
 * `queueBytes`; what comes on top is refused with StoreError.
 */
export class GroupCommit implements AsyncDisposable {
  readonly #engine: SqlEngine;
  readonly #limits: GroupLimits;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #running: Promise<void> | undefined;

  constructor(engine: SqlEngine, limits: GroupLimits = DEFAULT_LIMITS) {
    this.#engine = engine;
    this.#limits = limits;
  }

  /**
   * Resolves, once durable, with the rows that each statement changed. All statements of one call are stored or none.
   * Rejects with StaleStateError where a statement did not find the rows it expected, NotWantedError where the signal
   * is aborted before the commit, TaskIdTakenError or IdempotencyKeyTakenError where such a key is in use, StoreError
   * else.
   */
  run(statements: readonly Statement[], signal?: AbortSignal): Promise<readonly number[]> {
    if (signal?.aborted) return Promise.reject(new NotWantedError('nobody waits for this any more'));
    const bytes = textBytes(statements);
    if (this.#queuedBytes + bytes > this.#limits.queueBytes && this.#queue.length > 0) {
      return Promise.reject(new StoreError('the database is too slow: too much is waiting for it'));
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { statements, signal, bytes, giveUp: () => this.#giveUp(waiting), resolve, reject };
      signal?.addEventListener('abort', waiting.giveUp);
      this.#queue.push(waiting);
      this.#queuedBytes += bytes;
      this.#running ??= this.#drain();
    });
  }

  /** Waits until everything asked for has been answered. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #drain(): Promise<void> {
    do {
      // The rest of this turn of the event loop may bring more for the same group. SQLite has held the loop up for as
      // long as the last transaction took: what has been aborted meanwhile is known only now.
      await new Promise((resolve) => setImmediate(resolve));
      await this.#flush(this.#nextGroup());
    } while (this.#queue.length > 0);
    this.#running = undefined;
  }

  /** Nobody waits for its turn who has been given up; what became of one under way is told by its transaction. */
  #giveUp(member: Waiting): void {
    const at = this.#queue.indexOf(member);
    if (at === -1) return;
    this.#queue.splice(at, 1);
    this.#queuedBytes -= member.bytes;
    member.reject(new NotWantedError('nobody waits for this any more'));
  }

  #nextGroup(): Waiting[] {
    const group: Waiting[] = [];
    let statements = 0;
    let bytes = 0;
    for (const member of this.#queue) {
      statements += member.statements.length;
      bytes += member.bytes;
      const full = statements > this.#limits.groupStatements || bytes > this.#limits.groupBytes;
      if (full && group.length > 0) break;
      group.push(member);
    }
    this.#queue = this.#queue.slice(group.length);
    for (const { bytes: of, signal, giveUp } of group) {
      this.#queuedBytes -= of;
      signal?.removeEventListener('abort', giveUp);
    }
    return group;
  }

  async #flush(members: readonly Waiting[]): Promise<void> {
    if (members.length === 0) return;
    let outcomes: readonly MemberOutcome[];
    try {
      outcomes = await this.#engine.transaction(members);
    } catch (error) {
      for (const { reject } of members) reject(asStoreError(error));
      return;
    }
    for (const [at, { resolve, reject }] of members.entries()) {
      const outcome = outcomes[at];
      if (outcome instanceof StatementError) reject(blame(outcome));
      else if (outcome) resolve(outcome);
      else reject(new StoreError('the database did not say what became of this'));
    }
  }
}

function blame(error: StatementError): Error {
  const { fault, unique, message, cause, refusal } = error;
  if (fault === 'rows') return new StaleStateError(message);
  if (fault === 'aborted') return new NotWantedError(message);
  if (fault === 'duplicate' && unique === 'task-id') {
    return new TaskIdTakenError('someone else has used this task id', { cause });
  }
  if (fault === 'duplicate' && unique === 'idempotency-key') {
    return new IdempotencyKeyTakenError('this idempotency key is taken', { cause });
  }
  return refusal ?? new RefusedError('the database refused to store this', { cause: error });
}

function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError('the database refused to store this', { cause: error });
}

/** Two bytes a UTF-16 unit is near enough, and far cheaper than encoding. */
function textBytes(statements: readonly Statement[]): number {
  let bytes = 0;
  for (const statement of statements) {
    const { part } = statement;
    if (part) bytes += part.textUnits * 2 + part.rows.length * ROW_BYTES;
    else for (const value of statement.parameters) bytes += typeof value === 'string' ? value.length * 2 : 8;
  }
  return bytes;
}
