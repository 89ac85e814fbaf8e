import { StatementError, type Member, type MemberOutcome, type Statement } from '../engine.js';
import { joinStatements } from './join-statements.js';
import { asStoreError, ConnectionLostError, isGuard, statementFault } from './mysql-errors.js';
import type { MysqlSession } from './mysql-session.js';
import { changedRows, packetsOf, statementAt, textsOf, tooLong } from './packets.js';

/** Packets are no longer than this even where the server takes more. */
const PACKET_MOST_BYTES = 8 << 20;

/** Setting it again moves it. */
const SAVE = 'savepoint ibex_member';
const UNDO = 'rollback to savepoint ibex_member';

export interface MysqlTransactionParts {
  readonly session: MysqlSession;
  readonly members: readonly Member[];
  /** of the connection's token, for this transaction */
  readonly token: Statement;
  readonly answerTimeoutMs: number;
}

/** A member was aborted before the commit: the transaction is to be undone, and made without it. */
export class MemberAbortedError extends Error {
  override readonly name = 'MemberAbortedError';
}

/**
 * One attempt at one transaction. It goes out as one text with its begin and commit, and is joined from many small
 * statements. Where that fails the server does not tell which member is to blame: it is undone up to a savepoint, and
 * goes on with half as many members, down to a single one, which is left out; after each success with twice as many. So
 * however many fail, each costs a few times its own work at most, and where few fail, few questions are asked.
 *
 * Where a member may be aborted, the commit is a question of its own: the work before it may have waited for a lock, or
 * for a server that hung, until the member's caller was gone.
 */
export class MysqlTransaction {
  readonly #parts: MysqlTransactionParts;
  /** the commit goes out with the last members */
  readonly #commitAtOnce: boolean;
  /** of the members that are done, in order */
  readonly #outcomes: MemberOutcome[] = [];
  /** what goes out before the next members */
  #before: readonly string[];
  /** how many members go out next */
  #size: number;
  #committed = false;
  #ifCommitted: readonly MemberOutcome[] | undefined;

  constructor(parts: MysqlTransactionParts) {
    this.#parts = parts;
    this.#before = ['begin', ...textsOf([parts.token]), SAVE];
    this.#size = parts.members.length;
    this.#commitAtOnce = parts.members.every(({ signal }) => signal === undefined);
  }

  /** The members' outcomes if the commit happened whose answer got lost; undefined if another answer got lost. */
  get ifCommitted(): readonly MemberOutcome[] | undefined {
    return this.#ifCommitted;
  }

  /**
   * Once. Rejects with the server's error, MemberAbortedError or ConnectionLostError; the transaction is to be undone
   * then.
   */
  async run(): Promise<readonly MemberOutcome[]> {
    const { members } = this.#parts;
    while (this.#outcomes.length < members.length) {
      const from = this.#outcomes.length;
      const last = from + this.#size >= members.length;
      await this.#sendMembers(members.slice(from, from + this.#size), last && this.#commitAtOnce);
    }
    if (this.#committed) return this.#outcomes;
    if (this.#outcomes.every((outcome) => outcome instanceof StatementError)) {
      // Nothing to store is not worth a flush of the disk.
      await this.#send(['rollback'], [], undefined);
    } else {
      if (members.some(({ signal }) => signal?.aborted)) throw new MemberAbortedError('a member was aborted');
      // A savepoint that nothing comes after is of no use.
      const before = this.#before.filter((text) => text !== SAVE);
      await this.#send([...before, 'commit'], [], this.#outcomes);
    }
    return this.#outcomes;
  }

  async #sendMembers(members: readonly Member[], commit: boolean): Promise<void> {
    const joined = joinStatements(members.flatMap(({ statements }) => statements));
    const results: unknown[] = [];
    try {
      const texts = [...this.#before, ...textsOf(joined), ...(commit ? ['commit'] : [])];
      await this.#send(texts, results, commit ? [...this.#outcomes, ...members.map(joinedRows)] : undefined);
    } catch (error) {
      this.#failed(members, joined, results.length, error);
      return;
    }
    const changed = changedRows(joined, results.slice(this.#before.length));
    for (const { statements } of members) {
      this.#outcomes.push(statements.map((statement) => changed.get(statement) ?? 1));
    }
    this.#committed = commit;
    this.#before = [SAVE];
    this.#size = members.length * 2;
  }

  /** `passed`: texts before the one that failed. Throws where no member is to blame. */
  #failed(members: readonly Member[], joined: readonly Statement[], passed: number, error: unknown): void {
    const fault = statementFault(error);
    if (!fault) throw error;
    this.#ifCommitted = undefined;
    const sent = !(error instanceof RangeError);
    const failed = sent ? statementAt(joined, passed - this.#before.length) : undefined;
    if (sent) {
      if (passed < this.#before.length) {
        // A newer connection has taken this one for dead, and fenced it off.
        throw isGuard(error) ? new ConnectionLostError('the writer was replaced', { cause: error }) : error;
      }
      this.#before = [UNDO];
    }
    if (members.length === 1) {
      this.#outcomes.push(
        new StatementError(failed?.guard === true ? 'rows' : fault, failed?.statement, asStoreError(error)),
      );
    }
    this.#size = Math.max(1, members.length >> 1);
  }

  /** Adds to `results` as far as it comes. Sends nothing where a text is too long, which is a RangeError. */
  async #send(
    texts: readonly string[],
    results: unknown[],
    ifCommitted: readonly MemberOutcome[] | undefined,
  ): Promise<void> {
    const { session, answerTimeoutMs } = this.#parts;
    const packets = packetsOf(texts, Math.min(PACKET_MOST_BYTES, session.maxPacketBytes / 2));
    if (packets.some((packet) => tooLong(packet, session.maxPacketBytes))) {
      throw new RangeError(`it is longer than max_allowed_packet (${session.maxPacketBytes} bytes)`);
    }
    for (const [position, packet] of packets.entries()) {
      this.#ifCommitted = position === packets.length - 1 ? ifCommitted : undefined;
      await session.query(packet, [], answerTimeoutMs, (result) => results.push(result));
    }
  }
}

function joinedRows({ statements }: Member): number[] {
  return statements.map(() => 1);
}
