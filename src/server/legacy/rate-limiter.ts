/** A store of so many calls, or bytes, that fills up again with time. */
class Bucket {
  readonly #capacity: number;
  readonly #refillMs: number;
  #left: number;
  #filledMs: number;

  constructor(capacity: number, refillMs: number, nowMs: number) {
    this.#capacity = capacity;
    this.#refillMs = refillMs;
    this.#left = capacity;
    this.#filledMs = nowMs;
  }

  /** Takes so many; how long to wait until they may be worked on, ms. */
  take(count: number, nowMs: number): number {
    this.#left = Math.min(this.#capacity, this.#left + (nowMs - this.#filledMs) / this.#refillMs) - count;
    this.#filledMs = nowMs;
    return this.#left >= 0 ? 0 : -this.#left * this.#refillMs;
  }
}

const REPORTS_AT_ONCE = 5;
/** A Categraf without an interval reports eleven thousand times a second if it is answered at once. */
const REPORT_EVERY_MS = 100;
/**
 * Each beat tells the whole output of all tasks in hand, at most 64 of 131 KB: one a second is never held up by this.
 */
const BYTES_AT_ONCE = 16 * 1024 * 1024;
const BYTES_A_MS = 10 * 1024;
/** An agent asks for the script of each new task in its list, one after another. */
const OTHERS_AT_ONCE = 128;
const OTHER_EVERY_MS = 20;

/**
 * Slows down one connection that calls too often or tells too much. These agents wait for each answer before the next
 * call, so a late answer is all it takes; it is far from the five seconds after which they would give up.
 */
export class RateLimiter {
  readonly #reports: Bucket;
  readonly #others: Bucket;
  readonly #bytes: Bucket;

  constructor(nowMs: number) {
    this.#reports = new Bucket(REPORTS_AT_ONCE, REPORT_EVERY_MS, nowMs);
    this.#others = new Bucket(OTHERS_AT_ONCE, OTHER_EVERY_MS, nowMs);
    this.#bytes = new Bucket(BYTES_AT_ONCE, 1 / BYTES_A_MS, nowMs);
  }

  /** How long to wait before working on a call of so many bytes that has come now, ms. */
  waitMs(isReport: boolean, bytes: number, nowMs: number): number {
    return Math.max((isReport ? this.#reports : this.#others).take(1, nowMs), this.#bytes.take(bytes, nowMs));
  }
}
