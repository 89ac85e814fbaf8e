import type { ByteBudget } from './byte-budget.js';
import { FrameScanner, LegacyProtocolError } from './frame-scanner.js';

/**
 * A report holds the whole output of every task in hand: up to 131 KB each. No agent is given more than 64 at once, so
 * one that needs more than this is none.
 */
const MAX_CALL_BYTES = 16 * 1024 * 1024;

/**
 * Cuts the bytes of one connection into whole calls. What is kept is at most one call and what came with its last
 * piece; all connections together keep no more than their common budget, and the one that would exceed it is closed.
 */
export class CallReader implements Disposable {
  readonly #scanner = new FrameScanner(MAX_CALL_BYTES);
  readonly #budget: ByteBudget;
  #buffer: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** True if there are bytes of a call that has not been taken. */
  get pending(): boolean {
    return this.#to > this.#from;
  }

  /** `bytes` belong to this reader from now on. Throws LegacyProtocolError. */
  push(bytes: Buffer): void {
    if (!this.pending) return this.#adopt(bytes);
    this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** The next whole call. Its bytes stay as they are; they count until the call after it is asked for. Throws LegacyProtocolError. */
  next(): Uint8Array | undefined {
    if (this.#from === this.#to) {
      this[Symbol.dispose]();
      return undefined;
    }
    const length = this.#scanner.scan(this.#buffer.subarray(this.#from, this.#to));
    if (length === undefined) return undefined;
    const call = this.#buffer.subarray(this.#from, this.#from + length);
    this.#from += length;
    return call;
  }

  /** Lets go of everything; what a call taken before refers to stays intact. */
  [Symbol.dispose](): void {
    this.#budget.giveBack(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
    this.#from = 0;
    this.#to = 0;
  }

  #makeRoom(bytes: number): void {
    if (this.#to + bytes <= this.#buffer.length) return;
    const kept = this.#to - this.#from;
    const needed = kept + bytes;
    if (needed > 2 * MAX_CALL_BYTES) throw new LegacyProtocolError('too many calls at once');
    const buffer = Buffer.allocUnsafe(2 ** Math.ceil(Math.log2(needed)));
    this.#buffer.copy(buffer, 0, this.#from, this.#to);
    this.#adopt(buffer);
    this.#to = kept;
  }

  #adopt(buffer: Buffer): void {
    if (!this.#budget.take(buffer.length)) throw new LegacyProtocolError('too many long calls at once');
    this.#budget.giveBack(this.#buffer.length);
    this.#buffer = buffer;
    this.#from = 0;
    this.#to = buffer.length;
  }
}
