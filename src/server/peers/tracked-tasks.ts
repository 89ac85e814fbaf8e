import type { RunId } from '../../shared/run-key.js';
import type { TaskState } from '../core/task-state.js';
import type { Snapshot } from '../core/records.js';
import type { StaleHosts } from './snapshot-diff.js';

/** What this server has in memory of the open tasks, and what it is to be told of what others do with them. */
export interface TrackedTasks {
  /** hosts whose agents have come, and of which it is not known yet what other servers have for them */
  readonly unreconciled: Set<string>;
  /** Programs of another kind live on the database: they may pass on a run without leaving a note of it. */
  foreignSchedulerAlive: boolean;
  /** Reads these tasks and takes their scheduling up again. `doings`: at least their runs under way. */
  load(taskIds: readonly number[], doings: Snapshot['activeRuns']): Promise<void>;
  /** Reads what others may have changed, and brings it to the agents. Gives the tasks where that failed. */
  refresh(looks: StaleHosts): Promise<ReadonlySet<number>>;
  /** All tasks that other servers schedule, as last seen. */
  setOwnedByPeers(taskIds: Iterable<number>): void;
  /** More of them, seen since. */
  addOwnedByPeers(taskIds: Iterable<number>): void;
  /** All runs of tasks that other servers schedule, on hosts that are connected here, as last seen in the database. */
  setPeerRuns(runs: Iterable<RunId & { readonly host: string }>): void;
  /** Ids of the tasks in memory. */
  ids(): readonly number[];
  has(taskId: number): boolean;
  /** Undefined: not in memory, or just being read. */
  state(taskId: number): TaskState | undefined;
  /** True if this server schedules the task. */
  owns(taskId: number): boolean;
  /** True if hosts of the task wait, as far as is known. */
  waits(taskId: number): boolean;
  /** True if this host of the task is in memory. */
  knows(taskId: number, host: string): boolean;
}
