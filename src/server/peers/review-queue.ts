/** Tasks of one round. */
const AT_ONCE = 5;
/** Between two reviews of the same tasks, ms. */
const EVERY_MS = 60_000;

/**
 * Tasks to be read as a whole from time to time, a few at once: a host that waits and is ignored by a program of another
 * kind leaves no other trace than the row itself.
 */
export class ReviewQueue {
  #queue: number[] = [];
  #filledMs: number;

  constructor(nowMs: number) {
    this.#filledMs = nowMs;
  }

  /** Takes those whose turn it is off the queue. `wanted` says which tasks are to be reviewed at all. */
  take(nowMs: number, taskIds: readonly number[], wanted: (taskId: number) => boolean): readonly number[] {
    if (this.#queue.length === 0 && nowMs - this.#filledMs >= EVERY_MS) {
      this.#queue = taskIds.filter(wanted);
      this.#filledMs = nowMs;
    }
    return this.#queue.splice(0, AT_ONCE).filter(wanted);
  }
}
