import { resumeTask, withFreshHosts } from '../core/resume-task.js';
import { isActive } from '../../shared/task-states.js';
import { hostEntry, type HostEntry, type TaskState } from '../core/task-state.js';
import type { TaskMeta } from '../core/records.js';
import type { Store } from '../store/store.js';

export interface CopyRules {
  /** how long after its assignment a run may start, ms */
  readonly startWithinMs: number;
  /** how long agents have to come back before they are judged by their silence, ms, where the task was not made here */
  readonly reconnectMs: number;
  /** the name under which this server schedules; undefined: it schedules nothing */
  readonly scheduler: string | undefined;
}

/**
 * What this server has in memory of an open task, as last committed: all of it if it schedules the task, else the hosts
 * that concern it.
 */
export class TaskCopy {
  readonly #taskId: number;
  readonly #store: Pick<Store, 'openTask'>;
  readonly #rules: CopyRules;
  #meta: TaskMeta | undefined;
  #state: TaskState | undefined;
  /** the state before it was given up: some of what it knows is in no table */
  #known: TaskState | undefined;
  #owned = false;
  #whole = false;
  #judgeFromMs = 0;

  constructor(taskId: number, store: Pick<Store, 'openTask'>, rules: CopyRules) {
    this.#taskId = taskId;
    this.#store = store;
    this.#rules = rules;
  }

  get meta(): TaskMeta | undefined {
    return this.#meta;
  }

  /** Undefined while it is to be read (again). */
  get state(): TaskState | undefined {
    return this.#state;
  }

  /** This server schedules the task, as far as it knows. */
  get owned(): boolean {
    return this.#owned;
  }

  /** Hosts with an active run when the task was last read. */
  get activeHosts(): readonly string[] {
    return (this.#state ?? this.#known)?.hosts.filter(({ status }) => isActive(status)).map(({ host }) => host) ?? [];
  }

  /** The task was just made here. */
  create(meta: TaskMeta, state: TaskState): void {
    this.#meta = meta;
    this.#state = state;
    this.#owned = true;
    this.#whole = true;
  }

  /** After a step that is durable now. */
  advance(state: TaskState): void {
    this.#state = state;
  }

  /** The memory of the task does not hold any more. */
  giveUp(): void {
    this.#known = this.#state ?? this.#known;
    this.#state = undefined;
    this.#whole = false;
  }

  /**
   * Reads the task itself and these hosts of it, or all. Undefined: it is not open. Else the hosts with a start or a kill
   * that another program has decided since they were last read, which is to be sent to their agents. Rejects with
   * StoreError; nothing has changed then.
   */
  async read(hosts: readonly string[] | 'all', nowMs: () => number): Promise<readonly string[] | undefined> {
    const { scheduler, startWithinMs, reconnectMs } = this.#rules;
    const open = await this.#store.openTask(this.#taskId, hosts === 'all' ? undefined : hosts);
    if (!open) return undefined;
    const owned = scheduler !== undefined && open.scheduler === scheduler;
    // The owner of a task needs all of it.
    if (owned && !this.#whole && hosts !== 'all') return this.read('all', nowMs);
    if (owned && !this.#owned) this.#judgeFromMs = nowMs() + reconnectMs;
    const limits = { startWithinMs, judgeFromMs: this.#judgeFromMs };
    const before = this.#state ?? this.#known;
    const fresh = resumeTask(open, limits, nowMs(), before);
    this.#meta = open.meta;
    this.#owned = owned;
    this.#whole = hosts === 'all' || (owned && this.#whole);
    this.#state = hosts === 'all' || !this.#state ? fresh : withFreshHosts(this.#state, fresh, nowMs());
    this.#known = undefined;
    return fresh.hosts.filter((entry) => isNew(entry, before && hostEntry(before, entry.host))).map(({ host }) => host);
  }
}

/** A start or a kill that was not known. */
function isNew(entry: HostEntry, before: HostEntry | undefined): boolean {
  return isActive(entry.status) && (before?.status !== entry.status || before.startClock !== entry.startClock);
}
