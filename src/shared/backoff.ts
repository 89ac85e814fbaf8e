export interface BackoffOptions {
  /** upper bound of the first wait */
  readonly firstMs: number;
  /** upper bound of every later wait */
  readonly maxMs: number;
}

/**
 * Waits between attempts: the bound doubles each time, and each wait lies evenly between a quarter of the bound and
 * the bound, so that thousands of peers that lost the same server do not come back at the same moment.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #attempt = 0;

  constructor(options: BackoffOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
  }

  /** Milliseconds to wait before the next attempt. */
  nextMs(): number {
    const boundMs = Math.min(this.#options.maxMs, this.#options.firstMs * 2 ** this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 30);
    return boundMs * (0.25 + 0.75 * this.#random());
  }

  reset(): void {
    this.#attempt = 0;
  }
}
