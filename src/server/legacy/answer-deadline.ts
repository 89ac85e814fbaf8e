import { setTimeout as delay } from 'node:timers/promises';

/** An agent leaves after five seconds. Whatever an answer has to wait for, all of it together may take so long. */
const ANSWER_WITHIN_MS = 3_500;

/** Between two questions, ms. */
const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 100;

/** The time in which one call has to be answered. */
export class AnswerDeadline {
  readonly #untilMs = performance.now() + ANSWER_WITHIN_MS;

  get #leftMs(): number {
    return Math.max(0, this.#untilMs - performance.now());
  }

  /** Asks again and again, until there is an answer or the time is over. */
  async untilKnown<T>(ask: () => T | undefined): Promise<T | undefined> {
    for (let waitMs = FIRST_WAIT_MS; waitMs < this.#leftMs; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      await delay(waitMs);
      const answer = ask();
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /** Resolves as the work does, or with `late` when the time is over. Rejects as the work does. */
  async orLate<T, L>(work: Promise<T>, late: L): Promise<T | L> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<L>((resolve) => {
      timer = setTimeout(() => resolve(late), this.#leftMs);
    });
    try {
      return await Promise.race([work, over]);
    } finally {
      clearTimeout(timer);
    }
  }
}
