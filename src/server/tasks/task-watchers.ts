import { LogOnce } from '../../shared/log-once.js';
import type { Log } from '../../shared/log.js';
import type { ActionInForce } from '../core/action-in-force.js';
import type { HostState } from './task-service.js';

/** A watched task as the database has it. */
export interface WatchedTask {
  readonly hosts: readonly HostState[];
  /** undefined: the task has ended */
  readonly action: ActionInForce | undefined;
}

export interface TaskWatchersParts {
  /** this server owns the task, and tells of its commits */
  readonly owns: (taskId: number) => boolean;
  /** Undefined: no such task. Rejects with StoreError. */
  readonly read: (taskId: number) => Promise<WatchedTask | undefined>;
  readonly log: Log;
}

/** The listeners of tasks, whichever server owns these. */
export class TaskWatchers {
  readonly #parts: TaskWatchersParts;
  readonly #hosts = new Listeners<HostState>();
  readonly #actions = new Listeners<ActionInForce>();
  /** the action that the listeners know, by task */
  readonly #known = new Map<number, string>();
  readonly #failure: LogOnce;
  #refreshing = false;

  constructor(parts: TaskWatchersParts) {
    this.#parts = parts;
    this.#failure = new LogOnce(parts.log, 'cannot read the tasks that are watched');
  }

  onHost(taskId: number, listener: (host: HostState) => void): () => void {
    return this.#hosts.add(taskId, listener);
  }

  onAction(taskId: number, listener: (action: ActionInForce) => void): () => void {
    const remove = this.#actions.add(taskId, listener);
    return () => {
      remove();
      if (!this.#actions.wanted(taskId)) this.#known.delete(taskId);
    };
  }

  wanted(taskId: number): boolean {
    return this.#hosts.wanted(taskId) || this.#actions.wanted(taskId);
  }

  tellHost(taskId: number, host: HostState): void {
    this.#hosts.tell(taskId, host);
  }

  /** Tells what the listeners do not know yet. `repeated`: the action was set anew, be it the same as before. */
  tellAction(taskId: number, action: ActionInForce, repeated = false): void {
    if (!this.#actions.wanted(taskId)) return;
    const known = this.#known.get(taskId);
    const now = nameOf(action);
    this.#known.set(taskId, now);
    if (known !== undefined && (repeated || known !== now)) this.#actions.tell(taskId, action);
  }

  /** Reads watched tasks of peers, and tells of all their hosts; most of these are as before. */
  refresh(): void {
    if (this.#refreshing) return;
    const watched = new Set([...this.#hosts.taskIds(), ...this.#actions.taskIds()]);
    const ofPeers = [...watched].filter((taskId) => !this.#parts.owns(taskId));
    if (ofPeers.length === 0) return;
    this.#refreshing = true;
    this.#read(ofPeers)
      .then(
        () => this.#failure.succeeded(),
        (error: unknown) => this.#failure.failed(error),
      )
      .finally(() => {
        this.#refreshing = false;
      });
  }

  async #read(taskIds: readonly number[]): Promise<void> {
    for (const taskId of taskIds) {
      const { hosts = [], action } = (await this.#parts.read(taskId)) ?? {};
      for (const host of hosts) this.tellHost(taskId, host);
      if (action) this.tellAction(taskId, action);
    }
  }
}

class Listeners<T> {
  readonly #byTask = new Map<number, Set<(value: T) => void>>();

  /** Until the returned function is called. */
  add(taskId: number, listener: (value: T) => void): () => void {
    let ofTask = this.#byTask.get(taskId);
    if (!ofTask) this.#byTask.set(taskId, (ofTask = new Set()));
    // The same function may be given twice and must then be called twice.
    const own = (value: T): void => listener(value);
    ofTask.add(own);
    return () => {
      ofTask.delete(own);
      if (ofTask.size === 0 && this.#byTask.get(taskId) === ofTask) this.#byTask.delete(taskId);
    };
  }

  wanted(taskId: number): boolean {
    return this.#byTask.has(taskId);
  }

  taskIds(): Iterable<number> {
    return this.#byTask.keys();
  }

  tell(taskId: number, value: T): void {
    for (const listener of this.#byTask.get(taskId) ?? []) listener(value);
  }
}

/** How many have failed is news only of a task that is paused. */
function nameOf({ action, cause, failed, pausedAfter }: ActionInForce): string {
  return cause === null ? action : `${action} ${cause} ${failed} ${pausedAfter}`;
}
