import { setTimeout as wait } from 'node:timers/promises';
import { StatementError, type Statement } from '../engine.js';
import { StoreError } from '../store.js';
import { joinStatements } from './join-statements.js';
import { ConnectionLostError, isCollision, isReadOnlyServer, statementFault, unanswered } from './mysql-errors.js';
import { MysqlSession } from './mysql-session.js';
import type { MysqlTarget } from './mysql-target.js';
import { changedRows, packetsOf, textOf, tooLong } from './packets.js';
import { WriterToken } from './writer-token.js';

/** How long after a broken connection it is looked for what has become of its last transaction. */
const IN_DOUBT_MS = 5_000;
/** So long a transaction that got into another's way is tried again. */
const COLLISIONS_MS = 2_500;
/** And one whose connection broke: not longer, because whoever wants a new task may no longer wait for it. */
const RECONNECT_MS = 1_000;
/** Packets are no longer than this even where the server takes more. */
const PACKET_MOST_BYTES = 8 << 20;

interface Writing {
  readonly session: MysqlSession;
  readonly token: WriterToken;
}

/** `blame`: one of the joined statements failed, and the server does not tell which of those it was made of. */
type Outcome =
  | { readonly kind: 'stored'; readonly rows: number[] }
  /** for `forMs` from its first attempt */
  | { readonly kind: 'again'; readonly forMs: number; readonly cause: unknown }
  | { readonly kind: 'blame' };

/**
 * The one connection that writes. A transaction goes out as one text with its begin and commit, and is joined from many
 * small statements; only one that fails is done again statement by statement, to find the one to blame. A connection
 * that breaks is replaced for the next transaction; where it breaks during a commit, it is first found out whether the
 * commit happened.
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

  /** One after the other, in the order of the calls. Rejects with StatementError or StoreError. */
  transaction(statements: readonly Statement[]): Promise<number[]> {
    const done = this.#last.then(() => this.#transaction(statements));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** After what was asked for so far. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#last;
    await this.#close();
  }

  async #transaction(statements: readonly Statement[]): Promise<number[]> {
    const begunMs = performance.now();
    for (let oneByOne = false; ;) {
      const writing = await this.#open();
      const outcome = await (oneByOne ? this.#sendEach(writing, statements) : this.#sendJoined(writing, statements));
      switch (outcome.kind) {
        case 'stored':
          return outcome.rows;
        case 'blame':
          oneByOne = true;
          break;
        case 'again':
          if (performance.now() - begunMs > outcome.forMs) throw unanswered(outcome.cause);
          // Two servers in each other's way must not come again at the same moments.
          await wait(Math.random() * 20);
          break;
        default:
          outcome satisfies never;
      }
    }
  }

  async #sendJoined(writing: Writing, statements: readonly Statement[]): Promise<Outcome> {
    const { session, token } = writing;
    const joined = [token.next(), ...joinStatements(statements)];
    const packets = packetsOf(joined, Math.min(PACKET_MOST_BYTES, session.maxPacketBytes / 2));
    if (packets.some((packet) => tooLong(packet, session.maxPacketBytes))) return { kind: 'blame' };
    const results: unknown[] = [];
    for (const [position, packet] of packets.entries()) {
      try {
        const result = await session.query(packet, [], this.#target.answerTimeoutMs);
        if (Array.isArray(result)) for (const each of result) results.push(each);
        else results.push(result);
      } catch (error) {
        const committed = await this.#undone(writing, error, position === packets.length - 1);
        if (committed) return { kind: 'stored', rows: statements.map(() => 1) };
        if (statementFault(error)) return { kind: 'blame' };
        return again(error);
      }
    }
    const changed = changedRows(joined, results);
    return { kind: 'stored', rows: statements.map((statement) => changed.get(statement) ?? 1) };
  }

  /** Throws StatementError for the first one that fails. */
  async #sendEach(writing: Writing, statements: readonly Statement[]): Promise<Outcome> {
    const { session, token } = writing;
    const rows: number[] = [];
    let committing = false;
    try {
      await session.query('begin', [], this.#target.answerTimeoutMs);
      // Someone has taken this connection for dead, and fenced it off.
      if ((await this.#sendOne(session, token.next())) !== 1) throw new ConnectionLostError('the writer was replaced');
      for (const [index, statement] of statements.entries())
        rows.push(await this.#sendBlamable(session, statement, index));
      committing = true;
      await session.query('commit', [], this.#target.answerTimeoutMs);
      return { kind: 'stored', rows };
    } catch (error) {
      if (await this.#undone(writing, error, committing)) return { kind: 'stored', rows };
      if (error instanceof StatementError) throw error;
      return again(error);
    }
  }

  async #sendBlamable(session: MysqlSession, statement: Statement, index: number): Promise<number> {
    let changed: number;
    try {
      changed = await this.#sendOne(session, statement);
    } catch (error) {
      const fault = statementFault(error);
      if (fault) throw new StatementError(index, fault, error);
      throw error;
    }
    if (statement.expectRows !== undefined && changed !== statement.expectRows) throw new StatementError(index, 'rows');
    return changed;
  }

  async #sendOne(session: MysqlSession, statement: Statement): Promise<number> {
    const text = textOf(statement);
    if (tooLong(text, session.maxPacketBytes)) throw new RangeError('longer than max_allowed_packet');
    const result = await session.query(text, [], this.#target.answerTimeoutMs);
    return changedRows([statement], [undefined, result]).get(statement) ?? 0;
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
      // What a lost connection still has under way must not come after what is written now.
      await this.#settleDoubt();
      session = await MysqlSession.open(this.#target, { kind: 'write' });
      const token = new WriterToken();
      await token.register(session, connectTimeoutMs);
      this.#writing = { session, token };
      return this.#writing;
    } catch (error) {
      session?.abort();
      throw unanswered(error);
    }
  }
}

/** Throws StoreError where another attempt would end the same way. */
function again(error: unknown): Outcome {
  if (isCollision(error)) return { kind: 'again', forMs: COLLISIONS_MS, cause: error };
  if (error instanceof ConnectionLostError) return { kind: 'again', forMs: RECONNECT_MS, cause: error };
  throw unanswered(error);
}
