import type { ActionInForce } from '../core/action-in-force.js';
import type { ActionOutcome } from '../core/events.js';
import { startBeforeMs } from '../core/deadlines.js';
import type { HostEntry, TaskRules } from '../core/task-state.js';
import type { HostAction, HostStatus, TaskAction } from '../../shared/task-states.js';
import type { TaskMeta } from '../core/records.js';

/** A validated POST /ibex/v1/tasks: hosts cleaned, title with its suffix, defaults filled in. */
export interface NewTask extends Omit<TaskMeta, 'id' | 'created'> {
  readonly action: 'start' | 'pause';
  readonly hosts: readonly string[];
  /** the caller's own name for this request: within a day, all requests of one name make one task */
  readonly idempotencyKey?: string | undefined;
}

export interface CreatedTask {
  readonly id: number;
  /** nothing was created: this is the task that the same request has made before */
  readonly duplicate: boolean;
}

/** A request has used the idempotency key of another one that says something else. Nothing was created. */
export class KeyReusedError extends Error {
  override readonly name = 'KeyReusedError';
  /** made by the first request */
  readonly taskId: number;

  constructor(taskId: number) {
    super(`the request that made task ${taskId} had the same idempotency key and another body`);
    this.taskId = taskId;
  }
}

export type { ActionOutcome } from '../core/events.js';

export interface HostState {
  readonly host: string;
  readonly status: HostStatus;
  /** clock of the newest start; 0 before the first */
  readonly clock: number;
  /** no agent has the start yet: until when one may take it, unix ms; null otherwise, and where this server can't know */
  readonly startBeforeMs: number | null;
}

export function hostState(entry: HostEntry, rules: TaskRules): HostState {
  const { host, status, startClock: clock } = entry;
  return { host, status, clock, startBeforeMs: startBeforeMs(entry, rules) };
}

/** The use cases of tasks, as the API calls them. */
export interface TaskService {
  /**
   * Resolves after the commit, which already holds the first batch's start. Where the signal is aborted before that
   * commit begins, nothing is created and the promise rejects with NotWantedError. A request that came before, by its
   * key or as the same alarm within the duplicate window, shares the outcome of the first; with another body than that
   * had under the same key it rejects with KeyReusedError.
   */
  create(task: NewTask, signal?: AbortSignal): Promise<CreatedTask>;
  act(taskId: number, action: TaskAction): Promise<ActionOutcome>;
  actOnHost(taskId: number, host: string, action: HostAction): Promise<ActionOutcome>;
  /** Hosts with their clocks, in the order given; from memory for an open task, else from the store. Undefined: no such task. */
  states(taskId: number): Promise<readonly HostState[] | undefined>;
  /** Calls back at every committed change of a host's status in this task, until the returned function is called. */
  onChange(taskId: number, listener: (host: HostState) => void): () => void;
  /** Undefined: the task has ended, or there is none. */
  action(taskId: number): Promise<ActionInForce | undefined>;
  /**
   * Calls back at every committed change of the action in force or the cause of its pause that follows the first answer
   * of `action`, and when an operator's action leaves it as it is (a start over the tolerance pauses again), until the
   * returned function is called.
   */
  onAction(taskId: number, listener: (action: ActionInForce) => void): () => void;
}
