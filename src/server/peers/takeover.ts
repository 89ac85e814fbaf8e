import type { Snapshot } from '../core/records.js';
import { isDead } from './liveness.js';

export interface Takeovers {
  /** tasks to be taken over, by their owner; '' is nobody */
  readonly ownedBy: ReadonlyMap<string, readonly number[]>;
  /** tasks whose rows do not say one scheduler */
  readonly stray: readonly number[];
  /** tasks that this server owns by the rows, but does not have in memory */
  readonly missing: readonly number[];
  /** what must be found again in the next snapshot before it counts */
  readonly doubtful: ReadonlySet<string>;
}

export interface TakeoverContext {
  /** this server */
  readonly scheduler: string;
  /** ms since each scheduler's last sign of life */
  readonly silence: ReadonlyMap<string, number>;
  readonly inMemory: (taskId: number) => boolean;
  /** `doubtful` of the snapshot before */
  readonly doubtful: ReadonlySet<string>;
}

/**
 * The tasks that this server should schedule from now on. Rows between two states look like a stray task, like a task
 * of this server that is being made, or like a scheduler of whom nothing is known: each counts in the second of two
 * snapshots in a row that show it.
 */
export function findTakeovers({ tasks }: Pick<Snapshot, 'tasks'>, context: TakeoverContext): Takeovers {
  const { scheduler: self, silence, inMemory } = context;
  const ownedBy = new Map<string, number[]>();
  const stray: number[] = [];
  const missing: number[] = [];
  const doubtful = new Set<string>();
  const confirmed = (what: string): boolean => {
    doubtful.add(what);
    return context.doubtful.has(what);
  };
  const gone = (name: string): boolean => {
    const silentMs = silence.get(name);
    return silentMs === undefined ? confirmed(`scheduler ${name}`) : isDead(silentMs);
  };
  for (const { taskId, scheduler } of tasks) {
    if (scheduler === self) {
      if (!inMemory(taskId) && confirmed(`missing ${taskId}`)) missing.push(taskId);
    } else if (scheduler === undefined) {
      if (confirmed(`stray ${taskId}`)) stray.push(taskId);
    } else if (scheduler === '' || gone(scheduler)) {
      const taskIds = ownedBy.get(scheduler);
      if (taskIds) taskIds.push(taskId);
      else ownedBy.set(scheduler, [taskId]);
    }
  }
  return { ownedBy, stray, missing, doubtful };
}
