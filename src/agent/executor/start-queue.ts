import type { Assignment } from '../runs/assignment.js';
import { monotonicMs } from '../runs/boot.js';
import type { WaitingRun } from '../runs/control-messages.js';
import type { RunKey } from '../../shared/run-key.js';

export interface QueuedRun extends WaitingRun {
  /** as it was read when the run came; undefined if it could not be */
  readonly assignment: Assignment | undefined;
}

interface Waiting extends QueuedRun {
  readonly timer: NodeJS.Timeout;
}

/**
 * Runs that wait to be started, first come first served. Its length is bounded by what servers assign; each leaves
 * by `onExpired` at its last moment of start at the latest.
 */
export class StartQueue {
  readonly #waiting = new Map<RunKey, Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  keys(): RunKey[] {
    return [...this.#waiting.keys()];
  }

  /** Lists the runs that wait, in order. */
  list(): WaitingRun[] {
    return [...this.#waiting.values()].map(({ run, startBeforeMonoMs }) => ({ run, startBeforeMonoMs }));
  }

  /** Does nothing for a run that waits already. */
  add(queued: QueuedRun, onExpired: () => void): void {
    const { run, startBeforeMonoMs } = queued;
    if (this.#waiting.has(run)) return;
    const timer = setTimeout(
      () => {
        this.#waiting.delete(run);
        onExpired();
      },
      Math.max(0, startBeforeMonoMs - monotonicMs()),
    );
    this.#waiting.set(run, { ...queued, timer });
  }

  /** The first that may start now; it leaves the queue. */
  take(mayStart: (run: RunKey) => boolean): QueuedRun | undefined {
    for (const waiting of this.#waiting.values()) {
      if (!mayStart(waiting.run)) continue;
      this.remove(waiting.run);
      return waiting;
    }
    return undefined;
  }

  /** Empties the queue; returns the runs that waited, in order. */
  clear(): WaitingRun[] {
    const released = this.list();
    for (const { run } of released) this.remove(run);
    return released;
  }

  remove(run: RunKey): void {
    const waiting = this.#waiting.get(run);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(run);
  }
}
