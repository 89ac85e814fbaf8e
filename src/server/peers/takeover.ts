import type { Snapshot } from '../core/records.js';

/** A scheduler that has said nothing for so long is dead, ms. */
export const DEAD_AFTER_MS = 10_000;

export interface Takeovers {
  /** tasks to be taken, by who has them; '' is nobody */
  readonly ownedBy: ReadonlyMap<string, readonly number[]>;
  /** tasks whose rows do not say one scheduler */
  readonly stray: readonly number[];
  /** tasks that this server schedules by the rows, but does not have in memory */
  readonly missing: readonly number[];
}

export interface TakeoverContext {
  /** this server */
  readonly scheduler: string;
  /** ms since each scheduler's last word */
  readonly silence: ReadonlyMap<string, number>;
  readonly inMemory: (taskId: number) => boolean;
}

/**
 * The tasks that this server should schedule from now on. What is only found when rows are between two states (a stray
 * task, one of its own that is just being made, a scheduler of whom nothing is known) counts when it is found twice in
 * a row.
 */
export class TakeoverFinder {
  #doubtful = new Set<string>();

  find({ tasks }: Pick<Snapshot, 'tasks'>, { scheduler: self, silence, inMemory }: TakeoverContext): Takeovers {
    const from = new Map<string, number[]>();
    const stray: number[] = [];
    const missing: number[] = [];
    const doubtful = new Set<string>();
    const twice = (what: string): boolean => {
      doubtful.add(what);
      return this.#doubtful.has(what);
    };
    const dead = (name: string): boolean => {
      const silentMs = silence.get(name);
      return silentMs === undefined ? twice(`scheduler ${name}`) : silentMs >= DEAD_AFTER_MS;
    };
    for (const { taskId, scheduler } of tasks) {
      if (scheduler === self) {
        if (!inMemory(taskId) && twice(`missing ${taskId}`)) missing.push(taskId);
      } else if (scheduler === undefined) {
        if (twice(`stray ${taskId}`)) stray.push(taskId);
      } else if (scheduler === '' || dead(scheduler)) {
        const taken = from.get(scheduler);
        if (taken) taken.push(taskId);
        else from.set(scheduler, [taskId]);
      }
    }
    this.#doubtful = doubtful;
    return { ownedBy: from, stray, missing };
  }
}
