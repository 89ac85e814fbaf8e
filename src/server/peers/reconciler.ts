import { setTimeout as wait } from 'node:timers/promises';
import { LogOnce } from '../../shared/log-once.js';
import type { Log } from '../../shared/log.js';
import type { RunId } from '../../shared/run-key.js';
import type { Snapshot } from '../core/records.js';
import type { TaskState } from '../core/task-state.js';
import type { Store } from '../store/store.js';
import type { PeerView } from './peer-view.js';
import { withoutReached } from './reached-hosts.js';
import { ReviewQueue } from './review-queue.js';
import { confirmed, diffSnapshot, isHeld, type Memory, type StaleHosts } from './snapshot-diff.js';
import { findTakeovers, type Takeovers } from './takeover.js';

/** Snapshots take no more than this part of the time, but there is one at least every LONGEST_PAUSE_MS. */
const MOST_OF_THE_TIME = 0.2;
const LONGEST_PAUSE_MS = 3_000;
/** Between two readings of what peers have published. */
const PUBLISHED_PAUSE_MS = 50;

/** The open tasks that this server has in memory. */
export interface TrackedTasks {
  ids(): readonly number[];
  /** Undefined: not in memory, or just being read. */
  state(taskId: number): TaskState | undefined;
  /** True if this server schedules the task. */
  owns(taskId: number): boolean;
  /** Reads these tasks and takes their scheduling up again. `activeRuns`: at least theirs. */
  load(taskIds: readonly number[], activeRuns: Snapshot['activeRuns']): Promise<void>;
  /** Reads what others may have changed, and brings it to the agents. Gives the tasks where that failed. */
  refresh(stale: StaleHosts): Promise<ReadonlySet<number>>;
}

/** The agents that have a session here. */
export interface PresentAgents {
  /** of whatever kind */
  present(host: string): boolean;
  /** and the agent is sent its work at once */
  connected(host: string): boolean;
  /** and it has said that it has this run */
  holdsRun(host: string, run: RunId): boolean;
}

export interface ReconcilerOptions {
  readonly store: Store;
  readonly tasks: TrackedTasks;
  readonly peers: PeerView;
  readonly agents: PresentAgents;
  /** the name of this server in the tables */
  readonly name: string;
  /** false: tasks are left to other schedulers */
  readonly schedules: boolean;
  /** called after each comparison with the database */
  readonly refreshed: () => void;
  readonly intervalMs: number;
  readonly nowMs: () => number;
  readonly log: Log;
}

interface Comparison {
  readonly snapshot: Snapshot;
  /** ms since the last sign of life of each scheduler */
  readonly silence: ReadonlyMap<string, number>;
  /** unreconciled hosts whose agents had connected before the snapshot was made */
  readonly connected: readonly string[];
  readonly stale: StaleHosts;
  readonly tookMs: number;
}

/**
 * Compares about once a second what this server has in memory with what other programs have written into the database:
 * other servers of ours, a Go ibex, a Nightingale that schedules by itself; and takes over the tasks of schedulers that
 * are dead. This is the slow way that is always right; what peers publish only makes it faster.
 */
export class Reconciler implements AsyncDisposable {
  readonly #options: ReconcilerOptions;
  readonly #memory: Memory;
  readonly #reviews: ReviewQueue;
  readonly #failure: LogOnce;
  readonly #newcomers: string[] = [];
  /** look-ups for newcomers, while they are under way */
  readonly #lookUps = new Set<Promise<void>>();
  readonly #published = new Set<number>();
  #doubtful: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #refreshing: Promise<void> | undefined;
  #stopped = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const { tasks, agents, name, schedules, nowMs, log } = options;
    this.#reviews = new ReviewQueue(nowMs());
    this.#failure = new LogOnce(log, 'cannot see what other servers do');
    this.#memory = {
      scheduler: schedules ? name : undefined,
      state: (taskId) => tasks.state(taskId),
      owns: (taskId) => tasks.owns(taskId),
      present: (host) => agents.present(host),
      holds: (host, run) => agents.connected(host) && agents.holdsRun(host, run),
    };
  }

  /** Resolves after the first comparison, with this server's own tasks in memory. Rejects with StoreError. */
  async start(): Promise<void> {
    const { store, tasks: tracked, name, schedules, intervalMs } = this.#options;
    const { tasks, activeRuns } = await store.snapshot();
    if (!store.shared) await this.#takeAll(tasks);
    if (schedules) {
      const owned = store.shared ? tasks.filter(({ scheduler }) => scheduler === name) : tasks;
      await tracked.load(
        owned.map(({ taskId }) => taskId),
        activeRuns,
      );
    }
    if (!store.shared) return;
    await this.#act(await this.#compare());
    this.#scheduleNext(intervalMs);
  }

  /** Compares these tasks soon, together with others that are published meanwhile. */
  refresh(taskIds: readonly number[]): void {
    if (this.#stopped) return;
    for (const taskId of taskIds) this.#published.add(taskId);
    this.#refreshing ??= this.#refreshPublished().finally(() => {
      this.#refreshing = undefined;
    });
  }

  /** A host's agent has connected: looks up what peers have for it, and for those that connect at the same time. */
  agentConnected(host: string): void {
    if (!this.#options.store.shared || this.#stopped) return;
    this.#options.peers.noteConnected(host);
    this.#newcomers.push(host);
    if (this.#newcomers.length > 1) return;
    setImmediate(() => {
      const lookUp = this.#reconcileHosts(this.#newcomers.splice(0)).finally(() => this.#lookUps.delete(lookUp));
      this.#lookUps.add(lookUp);
    });
  }

  /** Takes nothing over any more, and resolves when nothing is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#refreshing;
    await Promise.all(this.#lookUps);
  }

  /** Nobody else can own tasks in a database that is this server's alone, whatever its name was before. */
  async #takeAll(tasks: Snapshot['tasks']): Promise<void> {
    const { store, name } = this.#options;
    const others = tasks.filter(({ scheduler }) => scheduler !== name);
    for (const [scheduler, of] of Map.groupBy(others, (task) => task.scheduler)) {
      const taskIds = of.map(({ taskId }) => taskId);
      if (scheduler !== undefined) await store.schedulers.take(taskIds, scheduler, name);
      else for (const taskId of taskIds) await store.schedulers.adopt(taskId, name);
    }
  }

  async #refreshPublished(): Promise<void> {
    const { store, peers, refreshed } = this.#options;
    while (this.#published.size > 0 && !this.#stopped) {
      const taskIds = [...this.#published];
      this.#published.clear();
      try {
        const snapshot = await store.snapshot(taskIds);
        peers.noteTasks(snapshot.tasks);
        await this.#refresh(diffSnapshot(snapshot, this.#memory, taskIds), snapshot);
        refreshed();
      } catch (error) {
        this.#failure.failed(error);
      }
      await wait(PUBLISHED_PAUSE_MS, undefined, { ref: false });
    }
  }

  async #reconcileHosts(hosts: readonly string[]): Promise<void> {
    const { store, tasks: tracked, peers } = this.#options;
    if (this.#stopped) return;
    try {
      const activeRuns = (await store.activeRunsOf(hosts)).filter(
        (run) => !tracked.owns(run.taskId) && !isHeld(run, this.#memory),
      );
      if (this.#stopped) return;
      const byTask = Map.groupBy(activeRuns, ({ taskId }) => taskId);
      const { tasks } = await store.snapshot([...byTask.keys()]);
      peers.noteTasks(tasks);
      const stale = new Map([...byTask].map(([taskId, of]) => [taskId, of.map(({ host }) => host)]));
      peers.noteReconciled(hosts, await this.#refresh(stale, { tasks, activeRuns }), activeRuns);
    } catch (error) {
      // The next comparison of all finds them.
      this.#failure.failed(error);
    }
  }

  #scheduleNext(waitMs: number): void {
    if (this.#stopped) return;
    const { intervalMs } = this.#options;
    this.#timer = setTimeout(() => {
      this.#round = this.#reconcile().then(
        (tookMs) => this.#scheduleNext(pauseMs(intervalMs, tookMs)),
        (error: unknown) => {
          this.#failure.failed(error);
          this.#scheduleNext(intervalMs);
        },
      );
    }, waitMs);
  }

  /** Gives what the snapshot took, ms. */
  async #reconcile(): Promise<number> {
    const { store } = this.#options;
    const first = await this.#compare();
    const taskIds = [...first.stale.keys()];
    const still =
      taskIds.length === 0 ? first.stale : diffSnapshot(await store.snapshot(taskIds), this.#memory, taskIds);
    await this.#act({ ...first, stale: confirmed(first.stale, still) });
    this.#failure.succeeded();
    return first.tookMs;
  }

  async #compare(): Promise<Comparison> {
    const { store, tasks: tracked, peers } = this.#options;
    const beganMs = performance.now();
    const connected = peers.unreconciledHosts;
    peers.noteServers(await store.serverMarks());
    const [snapshot, silence] = await Promise.all([store.snapshot(), store.schedulers.silence()]);
    const tookMs = performance.now() - beganMs;
    return { snapshot, silence, connected, stale: diffSnapshot(snapshot, this.#memory, tracked.ids()), tookMs };
  }

  async #act({ snapshot, silence, connected, stale }: Comparison): Promise<void> {
    const { tasks: tracked, peers, name, schedules, refreshed, nowMs } = this.#options;
    peers.noteSnapshot(snapshot, silence);
    const reviews = this.#reviews.take(nowMs(), tracked.ids(), (taskId) => this.#ownsWaiting(taskId));
    await tracked.refresh(whole(reviews));
    peers.noteReconciled(connected, await this.#refresh(stale, snapshot), snapshot.activeRuns);
    if (schedules && !this.#stopped) {
      const inMemory = new Set(tracked.ids());
      await this.#takeOver(
        findTakeovers(snapshot, {
          scheduler: name,
          silence,
          inMemory: (taskId) => inMemory.has(taskId),
          doubtful: this.#doubtful,
        }),
      );
    }
    refreshed();
  }

  /** Leaves to the owners of the tasks what they bring to the agents themselves. */
  async #refresh(stale: StaleHosts, snapshot: Snapshot): Promise<ReadonlySet<number>> {
    const { store, tasks: tracked, peers, agents } = this.#options;
    const context = {
      store,
      peers,
      tracks: (taskId: number, host: string) =>
        tracked.owns(taskId) || (tracked.state(taskId)?.index.has(host) ?? false),
      connected: (host: string) => agents.connected(host),
    };
    return tracked.refresh(await withoutReached(stale, snapshot, context));
  }

  #ownsWaiting(taskId: number): boolean {
    const { tasks: tracked } = this.#options;
    return tracked.owns(taskId) && (tracked.state(taskId)?.counts.waiting ?? 0) > 0;
  }

  async #takeOver({ ownedBy, stray, missing, doubtful }: Takeovers): Promise<void> {
    const { store, tasks: tracked, name, log } = this.#options;
    this.#doubtful = doubtful;
    const owned = [...missing];
    for (const [scheduler, taskIds] of ownedBy) {
      const taken = await store.schedulers.take(taskIds, scheduler, name);
      if (taken > 0) log.info({ tasks: taken, scheduler }, 'tasks taken over, whose scheduler is dead');
      owned.push(...taskIds);
    }
    for (const taskId of stray) {
      await store.schedulers.adopt(taskId, name);
      owned.push(taskId);
    }
    await tracked.refresh(whole(owned));
  }
}

function whole(taskIds: readonly number[]): StaleHosts {
  return new Map(taskIds.map((taskId) => [taskId, 'all']));
}

function pauseMs(intervalMs: number, tookMs: number): number {
  return Math.max(intervalMs - tookMs, Math.min(LONGEST_PAUSE_MS, tookMs / MOST_OF_THE_TIME - tookMs));
}
