import { EventEmitter } from 'node:events';
import { LogOnce } from '../../shared/log-once.js';
import type { Log } from '../../shared/log.js';
import { actionInForce, type ActionInForce } from '../core/action-in-force.js';
import type { Step } from '../core/task-draft.js';
import { hostState, type HostState } from './task-service.js';

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
  /** events are named by the task's id */
  readonly #hosts = new EventEmitter<Record<string, [HostState]>>().setMaxListeners(0);
  readonly #actions = new EventEmitter<Record<string, [ActionInForce]>>().setMaxListeners(0);
  /** the action that the listeners know, by task */
  readonly #known = new Map<number, string>();
  readonly #failure: LogOnce;
  #refreshing = false;

  constructor(parts: TaskWatchersParts) {
    this.#parts = parts;
    this.#failure = new LogOnce(parts.log, 'cannot read the tasks that are watched');
  }

  onHost(taskId: number, listener: (host: HostState) => void): () => void {
    // The same function may be given twice, and each is removed by itself.
    const own = (host: HostState): void => listener(host);
    this.#hosts.on(`${taskId}`, own);
    return () => this.#hosts.off(`${taskId}`, own);
  }

  onAction(taskId: number, listener: (action: ActionInForce) => void): () => void {
    const own = (action: ActionInForce): void => listener(action);
    this.#actions.on(`${taskId}`, own);
    return () => {
      this.#actions.off(`${taskId}`, own);
      if (this.#actions.listenerCount(`${taskId}`) === 0) this.#known.delete(taskId);
    };
  }

  /** Tells of a step that is durable. Only the owner of a task has enough of it to tell of its action. */
  committed({ state, touched, changes }: Step, owned: boolean): void {
    const { taskId } = state.rules;
    if (this.#hosts.listenerCount(`${taskId}`) > 0)
      this.#tellHosts(
        taskId,
        touched.map((entry) => hostState(entry, state.rules)),
      );
    if (!owned || state.ended || this.#actions.listenerCount(`${taskId}`) === 0) return;
    const repeated = changes.some(({ kind }) => kind === 'task-action');
    this.tellAction(taskId, actionInForce(state), repeated);
  }

  /** Tells what the listeners do not know yet. `repeated`: the action was set anew, be it the same as before. */
  tellAction(taskId: number, action: ActionInForce, repeated = false): void {
    if (this.#actions.listenerCount(`${taskId}`) === 0) return;
    const known = this.#known.get(taskId);
    const now = nameOf(action);
    this.#known.set(taskId, now);
    if (known !== undefined && (repeated || known !== now)) this.#actions.emit(`${taskId}`, action);
  }

  /** Reads watched tasks of peers, and tells of all their hosts; most of these are as before. */
  refresh(): void {
    if (this.#refreshing) return;
    const watched = new Set([...this.#hosts.eventNames(), ...this.#actions.eventNames()].map(Number));
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
      this.#tellHosts(taskId, hosts);
      if (action) this.tellAction(taskId, action);
    }
  }

  #tellHosts(taskId: number, hosts: readonly HostState[]): void {
    for (const host of hosts) this.#hosts.emit(`${taskId}`, host);
  }
}

/** How many have failed is news only of a task that is paused. */
function nameOf({ action, cause, failed, pausedAfter }: ActionInForce): string {
  return cause === null ? action : `${action} ${cause} ${failed} ${pausedAfter}`;
}
