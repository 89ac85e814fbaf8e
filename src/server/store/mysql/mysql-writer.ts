import { setTimeout as wait } from 'node:timers/promises';
import { StatementError, type Member, type MemberOutcome } from '../engine.js';
import { StoreError } from '../store.js';
import { asStoreError, ConnectionLostError, isCollision, isReadOnlyServer } from './mysql-errors.js';
import { MysqlSession } from './mysql-session.js';
import type { MysqlTarget } from './mysql-target.js';
import { MemberAbortedError, MysqlTransaction } from './mysql-transaction.js';
import { WriterToken } from './writer-token.js';

/** After a connection broke in a commit, the writer asks for so long whether the commit happened. */
const IN_DOUBT_MS = 5_000;
/** A transaction that got into another's way is tried again for so long. */
const COLLISIONS_MS = 2_500;
/** A transaction whose connection broke is tried again for so long: the caller of a new task waits no longer. */
const RECONNECT_MS = 1_000;

interface Writing {
  readonly session: MysqlSession;
  readonly token: WriterToken;
}

type Attempt =
  | { readonly kind: 'stored'; readonly outcomes: readonly MemberOutcome[] }
  /** for `forMs` from its first attempt */
  | { readonly kind: 'again'; readonly forMs: number; readonly cause: unknown };

/**
 * The one connection that writes. A transaction that got into another's way is tried again whole. A connection that
 * breaks is replaced for the next transaction; where it breaks during a commit, it is first found out whether the commit
 * happened.
 */
export class MysqlWriter implements AsyncDisposable {
  readonly #target: MysqlTarget;
  #writing: Writing | undefined;
  /** of a connection that broke in its commit, as long as nobody knows what became of it */
  #doubtful: WriterToken | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(target: MysqlTarget) {
    this.#target = target;
  }

  /** One after the other, in the order of the calls. As SqlEngine has it. */
  transaction(members: readonly Member[]): Promise<readonly MemberOutcome[]> {
    const done = this.#last.then(() => this.#transaction(members));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** After what was asked for so far. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#last;
    await this.#close();
  }

  async #transaction(members: readonly Member[]): Promise<readonly MemberOutcome[]> {
    const begunMs = performance.now();
    for (;;) {
      const writing = await this.#open();
      const wanted = members.filter(({ signal }) => !signal?.aborted);
      if (wanted.length === 0) return members.map(() => new StatementError('aborted', undefined));
      const attempt = await this.#attempt(writing, wanted);
      if (attempt.kind === 'stored') {
        const outcomes = new Map(wanted.map((member, position) => [member, attempt.outcomes[position]]));
        return members.map((member) => outcomes.get(member) ?? new StatementError('aborted', undefined));
      }
      if (performance.now() - begunMs > attempt.forMs) throw asStoreError(attempt.cause);
      // Two servers in each other's way must not come again at the same moments.
      await wait(Math.random() * 20);
    }
  }

  async #attempt(writing: Writing, members: readonly Member[]): Promise<Attempt> {
    const { session, token } = writing;
    const { answerTimeoutMs } = this.#target;
    const transaction = new MysqlTransaction({ session, members, token: token.next(), answerTimeoutMs });
    try {
      return { kind: 'stored', outcomes: await transaction.run() };
    } catch (error) {
      const { ifCommitted } = transaction;
      const committed = await this.#undone(writing, error, ifCommitted !== undefined);
      if (committed && ifCommitted) return { kind: 'stored', outcomes: ifCommitted };
      return again(error);
    }
  }

  /** After an error: undoes the transaction. True where it turns out to be committed. Rejects with StoreError. */
  async #undone({ session, token }: Writing, error: unknown, committing: boolean): Promise<boolean> {
    if (!(error instanceof ConnectionLostError)) {
      await session.query('rollback', [], this.#target.answerTimeoutMs).catch(() => session.abort());
      // Behind a name that leads to several servers another one may take writes.
      if (isReadOnlyServer(error)) session.abort();
      return false;
    }
    session.abort();
    this.#writing = undefined;
    if (!committing) return false;
    this.#doubtful = token;
    const untilMs = performance.now() + IN_DOUBT_MS;
    for (;;) {
      try {
        return await this.#settleDoubt();
      } catch (cause) {
        if (performance.now() > untilMs) {
          throw new StoreError('the connection to the database broke, and it is not known what was stored', { cause });
        }
        await wait(100);
      }
    }
  }

  /** Rejects where there is no answer; may be called again. False where there is no doubt. */
  async #settleDoubt(): Promise<boolean> {
    if (!this.#doubtful) return false;
    await using session = await MysqlSession.open(this.#target, { kind: 'write' });
    const committed = await this.#doubtful.committed(session, this.#target.connectTimeoutMs);
    this.#doubtful = undefined;
    return committed;
  }

  async #close(): Promise<void> {
    const open = this.#writing;
    this.#writing = undefined;
    if (!open) return;
    if (!open.session.lost) await open.token.retire(open.session, this.#target.connectTimeoutMs);
    await open.session[Symbol.asyncDispose]();
  }

  async #open(): Promise<Writing> {
    if (this.#closed && !this.#writing) throw new StoreError('the database does not answer: the store is closed');
    const { maxAgeMs, connectTimeoutMs } = this.#target;
    const open = this.#writing;
    if (open && !open.session.lost && (maxAgeMs === 0 || performance.now() - open.session.openedMs < maxAgeMs)) {
      return open;
    }
    await this.#close();
    let session: MysqlSession | undefined;
    try {
      // A statement that a lost connection still has under way must not come after those written now.
      await this.#settleDoubt();
      session = await MysqlSession.open(this.#target, { kind: 'write' });
      const token = new WriterToken();
      await token.register(session, connectTimeoutMs);
      this.#writing = { session, token };
      return this.#writing;
    } catch (error) {
      session?.abort();
      throw asStoreError(error);
    }
  }
}

/** Throws StoreError where another attempt would end the same way. */
function again(error: unknown): Attempt {
  if (isCollision(error)) return { kind: 'again', forMs: COLLISIONS_MS, cause: error };
  if (error instanceof ConnectionLostError) return { kind: 'again', forMs: RECONNECT_MS, cause: error };
  // Without the members that are aborted it is another transaction; each of them is aborted once.
  if (error instanceof MemberAbortedError) return { kind: 'again', forMs: Infinity, cause: error };
  throw asStoreError(error);
}
