/** A store of so many calls that fills up again with time. */
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

  /** Takes one call; how long to wait until it may be worked on, ms. */
  take(nowMs: number): number {
    this.#left = Math.min(this.#capacity, this.#left + (nowMs - this.#filledMs) / this.#refillMs) - 1;
    this.#filledMs = nowMs;
    return this.#left >= 0 ? 0 : -this.#left * this.#refillMs;
  }
}

const REPORTS_AT_ONCE = 5;
/** A Categraf without an interval reports eleven thousand times a second if it is answered at once. */
const REPORT_EVERY_MS = 100;
/** An agent asks for the script of each new task in its list, one after another. */
const OTHERS_AT_ONCE = 128;
const OTHER_EVERY_MS = 20;

/**
 * Slows down one connection that calls too often. These agents wait for each answer before the next call, so a late
 * answer is all it takes; it is far from the five seconds after which they would give up.
 */
export class CallPace {
  readonly #reports: Bucket;
  readonly #others: Bucket;

  constructor(nowMs: number) {
    this.#reports = new Bucket(REPORTS_AT_ONCE, REPORT_EVERY_MS, nowMs);
    this.#others = new Bucket(OTHERS_AT_ONCE, OTHER_EVERY_MS, nowMs);
  }

  /** How long to wait before working on a call that has come now, ms. */
  waitMs(isReport: boolean, nowMs: number): number {
    return (isReport ? this.#reports : this.#others).take(nowMs);
  }
}
