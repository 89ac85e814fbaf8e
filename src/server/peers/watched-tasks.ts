import type { RunId } from '../../shared/run-key.js';
import type { TaskState } from '../core/task-state.js';
import type { Survey } from '../store/store.js';
import type { Looks } from './compare-survey.js';

/** What this server has in memory of the open tasks, and what it is to be told of what others do with them. */
export interface WatchedTasks {
  /** hosts whose agents have come, and of which it is not known yet what other servers have for them */
  readonly unseen: Set<string>;
  /** Programs of another kind live on the database: they may pass on a run without leaving a note of it. */
  strangersLive: boolean;
  /** Reads these tasks and takes their scheduling up again. `doings`: at least their runs under way. */
  load(taskIds: readonly number[], doings: Survey['doings']): Promise<void>;
  /** Reads what others may have changed, and brings it to the agents. Gives the tasks where that failed. */
  lookAt(looks: Looks): Promise<ReadonlySet<number>>;
  /** All tasks that other servers schedule, as last seen. */
  setElsewhere(taskIds: Iterable<number>): void;
  /** More of them, seen since. */
  addElsewhere(taskIds: Iterable<number>): void;
  /** All runs of tasks that other servers schedule, on hosts that are connected here, as last seen in the database. */
  setForeignRuns(runs: Iterable<RunId & { readonly host: string }>): void;
  /** Ids of the tasks in memory. */
  ids(): readonly number[];
  has(taskId: number): boolean;
  /** Undefined: not in memory, or just being read. */
  state(taskId: number): TaskState | undefined;
  /** True if this server schedules the task. */
  mine(taskId: number): boolean;
  /** True if hosts of the task wait, as far as is known. */
  waits(taskId: number): boolean;
  /** True if this host of the task is in memory. */
  knows(taskId: number, host: string): boolean;
}
