import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import { plainAddress } from '../net/networks.js';
import type { ByteBudget } from './byte-budget.js';
import { RateLimiter } from './rate-limiter.js';
import { CallReader } from './call-reader.js';
import { LegacyProtocolError } from './frame-scanner.js';
import {
  encodeError,
  encodeMetaAnswer,
  encodePong,
  encodeReportAnswer,
  parseCall,
  type Call,
  type MetaAnswer,
  type Report,
  type ReportAnswer,
} from './rpc-codec.js';

/** Answers the calls. Undefined: the connection has ended meanwhile, nobody wants the answer. */
export interface CallHandler {
  report(peer: LegacyConnection, report: Report): Promise<ReportAnswer | undefined>;
  meta(peer: LegacyConnection, taskId: number): Promise<MetaAnswer>;
  closed(peer: LegacyConnection): void;
}

export interface LegacyConnectionParts {
  readonly id: number;
  readonly handler: CallHandler;
  /** for calls that are not answered yet, of all connections */
  readonly budget: ByteBudget;
  readonly log: Log;
}

/** A peer whose first call, or the rest of a call, takes longer is no legacy agent, ms. */
const CALL_WITHIN_MS = 15_000;
/** An agent that has said nothing for so long is gone; an agent with a longer interval connects again. */
const SILENT_MS = 300_000;
/** While so many bytes of answers have not been read, no further call is worked on. */
const UNREAD_ANSWER_BYTES = 256 * 1024;

/**
 * One connection of a legacy agent: calls are worked on one after another and answered in their order; while one is
 * worked on, at most one more piece of the stream is read. Closes itself over anything that is not this protocol.
 */
export class LegacyConnection {
  /** another for each connection of this process */
  readonly id: number;
  readonly address: string;
  /** the agent's name, from its first report on */
  ident: string | undefined;
  /** from one report to the next, ms; 0 before the second */
  intervalMs = 0;
  /** ids whose scripts it asked for before it gave its name, and whether it got them */
  readonly early = new Map<number, boolean>();
  readonly #socket: Socket;
  readonly #handler: CallHandler;
  readonly #log: Log;
  readonly #reader: CallReader;
  readonly #rate = new RateLimiter(performance.now());
  #heardMs = performance.now();
  #reportedMs = 0;
  #calls = 0;
  #busy = false;
  /** bytes came since the last read of the stream began */
  #more = false;
  #open = true;

  /** `socket`: paused, with nothing of it read. */
  constructor(socket: Socket, { id, handler, budget, log }: LegacyConnectionParts) {
    this.id = id;
    this.address = plainAddress(socket.remoteAddress ?? '');
    this.#socket = socket;
    this.#handler = handler;
    this.#log = log;
    this.#reader = new CallReader(budget);
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
    socket.on('end', () => this.close());
    socket.on('data', (bytes: Buffer) => this.#received(bytes));
    socket.resume();
  }

  get open(): boolean {
    return this.#open;
  }

  /** How long ago anything came, ms. */
  silentMs(nowMs: number): number {
    return nowMs - this.#heardMs;
  }

  /** To be called every few seconds. */
  checkSilence(nowMs: number): void {
    const waitsForCall = this.#calls === 0 || (this.#reader.pending && !this.#busy);
    const stuck = this.#socket.writableLength > UNREAD_ANSWER_BYTES;
    if (this.silentMs(nowMs) > (waitsForCall || stuck ? CALL_WITHIN_MS : SILENT_MS)) this.close();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.destroy();
    if (!this.#busy) this.#reader[Symbol.dispose]();
    this.#handler.closed(this);
  }

  #received(bytes: Buffer): void {
    if (!this.#open) return;
    // The rest of a call that dribbles in does not count as a sign of life.
    if (!this.#reader.pending || this.#busy) this.#heardMs = performance.now();
    try {
      this.#reader.push(bytes);
    } catch (error) {
      return this.#failed(error);
    }
    this.#more = true;
    if (this.#busy) this.#socket.pause();
    else this.#start();
  }

  #start(): void {
    this.#busy = true;
    this.#more = false;
    this.#work()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#busy = false;
        if (!this.#open) return this.#reader[Symbol.dispose]();
        // Bytes may have come between the last read of the stream and now.
        if (this.#more) this.#start();
        this.#socket.resume();
      });
  }

  async #work(): Promise<void> {
    for (let frame = this.#next(); frame; frame = this.#next()) {
      const call = parseCall(frame);
      const waitMs = this.#rate.waitMs(call.method === 'report', frame.length, performance.now());
      if (waitMs > 0) await delay(waitMs);
      // A call of an agent that has left meanwhile would give its Host to nobody.
      if (!this.#open) return;
      const answer = await this.#answer(call);
      if (!this.#open || !answer) return;
      this.#calls++;
      this.#heardMs = performance.now();
      this.#socket.write(answer);
      if (this.#socket.writableLength > UNREAD_ANSWER_BYTES) await this.#drained();
    }
  }

  #next(): Uint8Array | undefined {
    return this.#open ? this.#reader.next() : undefined;
  }

  async #answer(call: Call): Promise<Uint8Array | undefined> {
    switch (call.method) {
      case 'ping':
        return encodePong(call.seq);
      case 'report': {
        const nowMs = performance.now();
        if (this.#reportedMs > 0) this.intervalMs = nowMs - this.#reportedMs;
        this.#reportedMs = nowMs;
        const answer = await this.#handler.report(this, call.report);
        return answer && encodeReportAnswer(call.seq, answer);
      }
      case 'meta':
        return encodeMetaAnswer(call.seq, await this.#handler.meta(this, call.taskId));
      case 'unknown':
        return encodeError(call.seq, `rpc: can't find method ${call.name}`);
      default:
        return call satisfies never;
    }
  }

  async #drained(): Promise<void> {
    // Rejects when the connection fails, which its own listeners deal with.
    await Promise.race([once(this.#socket, 'drain'), once(this.#socket, 'close')]).catch(() => undefined);
  }

  #failed(error: unknown): void {
    if (error instanceof LegacyProtocolError) {
      this.#log.debug({ address: this.address, host: this.ident, why: error.message }, 'not a legacy agent');
    } else {
      this.#log.error({ address: this.address, host: this.ident, err: describeError(error) }, 'legacy call failed');
    }
    this.close();
  }
}
