/** An agent leaves after five seconds. Whatever an answer has to wait for, all of it together may take so long. */
const ANSWER_WITHIN_MS = 3_500;

/** The time in which one call has to be answered. */
export class AnswerDeadline {
  readonly #untilMs = performance.now() + ANSWER_WITHIN_MS;

  /** Resolves as the work does, or with `late` when the time is over. Rejects as the work does. */
  async orLate<T, L>(work: Promise<T>, late: L): Promise<T | L> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<L>((resolve) => {
      timer = setTimeout(() => resolve(late), Math.max(0, this.#untilMs - performance.now()));
    });
    try {
      return await Promise.race([work, over]);
    } finally {
      clearTimeout(timer);
    }
  }
}
