import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '../../shared/errors.js';
import type { RunId } from '../../shared/run-key.js';
import type { Log } from '../../shared/log.js';
import type { Snapshot } from '../core/records.js';
import type { Store } from '../store/store.js';
import { TakeoverFinder, DEAD_AFTER_MS, type Takeovers } from './takeover.js';
import { diffSnapshot, confirmed, isHeld, type StaleHosts, type Memory } from './snapshot-diff.js';
import { livingServers } from './liveness.js';
import { withoutReached, type Peers } from './reached-hosts.js';
import { ReviewQueue } from './review-queue.js';
import type { TrackedTasks } from './tracked-tasks.js';

/** The database is not surveyed for more than this part of the time, but at least once in LONGEST_PAUSE_MS. */
const MOST_OF_THE_TIME = 0.2;
const LONGEST_PAUSE_MS = 3_000;
/** Between two looks at what others have told of. */
const HINT_PAUSE_MS = 50;

export interface ReconcilerOptions {
  readonly store: Store;
  readonly tasks: TrackedTasks;
  /** the name of this server in the tables */
  readonly name: string;
  /** false: tasks are left to other schedulers */
  readonly schedules: boolean;
  /** the host's agent has a session here */
  readonly present: (host: string) => boolean;
  /** and is sent its work at once */
  readonly connected: (host: string) => boolean;
  /** and has told that it has this run */
  readonly holds: (host: string, run: RunId) => boolean;
  /** called after each look at the database */
  readonly refreshed: () => void;
  readonly intervalMs: number;
  readonly log: Log;
}

interface Found {
  readonly snapshot: Snapshot;
  readonly silence: ReadonlyMap<string, number>;
  /** hosts whose agents had come before the survey was made */
  readonly unreconciled: readonly string[];
  readonly stale: StaleHosts;
  readonly tookMs: number;
}

/**
 * Looks about once a second at what other programs have written into the database: other servers of ours, a Go ibex, a
 * Nightingale that schedules by itself; and takes the tasks of schedulers that are gone. This is the slow way that is
 * always right.
 */
export class Reconciler implements AsyncDisposable {
  readonly #options: ReconcilerOptions;
  readonly #memory: Memory;
  readonly #takeovers = new TakeoverFinder();
  readonly #reviews = new ReviewQueue();
  readonly #connected: string[] = [];
  /** looks for hosts that came together, while they are under way */
  readonly #arrivals = new Set<Promise<void>>();
  readonly #published = new Set<number>();
  #peers: Peers = new Map();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #refreshing: Promise<void> | undefined;
  #failing = false;
  #stopped = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const { tasks: open, name, schedules, present, connected, holds } = options;
    this.#memory = {
      scheduler: schedules ? name : undefined,
      state: (taskId) => open.state(taskId),
      owns: (taskId) => open.owns(taskId),
      present,
      holds: (host, run) => connected(host) && holds(host, run),
    };
  }

  /** Resolves after the first look, with this server's own tasks in memory. Rejects with StoreError. */
  async start(): Promise<void> {
    const { store, tasks: open, name, schedules } = this.#options;
    const { tasks, activeRuns: doings } = await store.snapshot();
    if (!store.shared) await this.#takeAll(tasks);
    if (schedules) {
      const mine = store.shared ? tasks.filter(({ scheduler }) => scheduler === name) : tasks;
      await open.load(
        mine.map(({ taskId }) => taskId),
        doings,
      );
    }
    if (!store.shared) return;
    await this.#act(await this.#takeSnapshot());
    this.#again(this.#options.intervalMs);
  }

  /** Looks at these tasks soon, together with others that are told of. */
  refresh(taskIds: readonly number[]): void {
    if (this.#stopped) return;
    for (const taskId of taskIds) this.#published.add(taskId);
    this.#refreshing ??= this.#refreshPublished().finally(() => {
      this.#refreshing = undefined;
    });
  }

  /**
   * A host's agent has come: what other servers have for it is looked up, together with those that come at its time.
   */
  agentConnected(host: string): void {
    if (!this.#options.store.shared || this.#stopped) return;
    this.#options.tasks.unreconciled.add(host);
    this.#connected.push(host);
    if (this.#connected.length > 1) return;
    setImmediate(() => {
      const looking = this.#reconcileHosts(this.#connected.splice(0)).finally(() => this.#arrivals.delete(looking));
      this.#arrivals.add(looking);
    });
  }

  /** Takes nothing over any more, and resolves when nothing is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#refreshing;
    await Promise.all(this.#arrivals);
  }

  /** Nobody else can have the tasks of a database of one's own, whatever this server was called before. */
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
    const { store, tasks: open, refreshed: looked } = this.#options;
    while (this.#published.size > 0 && !this.#stopped) {
      const taskIds = [...this.#published];
      this.#published.clear();
      try {
        const survey = await store.snapshot(taskIds);
        open.addOwnedByPeers(this.#ownedByPeers(survey));
        await open.refresh(await this.#withoutReached(diffSnapshot(survey, this.#memory, taskIds), survey));
        looked();
      } catch (error) {
        this.#failed(error);
      }
      await wait(HINT_PAUSE_MS, undefined, { ref: false });
    }
  }

  async #reconcileHosts(hosts: readonly string[]): Promise<void> {
    const { store, tasks: open } = this.#options;
    if (this.#stopped) return;
    try {
      const doings = (await store.activeRunsOf(hosts)).filter(
        (doing) => !open.owns(doing.taskId) && !isHeld(doing, this.#memory),
      );
      if (this.#stopped) return;
      const byTask = Map.groupBy(doings, ({ taskId }) => taskId);
      const { tasks } = await store.snapshot([...byTask.keys()]);
      open.addOwnedByPeers(this.#ownedByPeers({ tasks }));
      const looks = new Map([...byTask].map(([taskId, of]) => [taskId, of.map(({ host }) => host)]));
      const unclear = await open.refresh(await this.#withoutReached(looks, { tasks, activeRuns: doings }));
      this.#noteReconciled(hosts, unclear, doings);
    } catch (error) {
      // The next look at all of the database finds them.
      this.#failed(error);
    }
  }

  #again(waitMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#reconcile().then(
        (tookMs) => this.#again(this.#pauseMs(tookMs)),
        (error: unknown) => {
          this.#failed(error);
          this.#again(this.#options.intervalMs);
        },
      );
    }, waitMs);
  }

  #pauseMs(tookMs: number): number {
    const { intervalMs } = this.#options;
    return Math.max(intervalMs - tookMs, Math.min(LONGEST_PAUSE_MS, tookMs / MOST_OF_THE_TIME - tookMs));
  }

  /** Gives what the reading took, ms. */
  async #reconcile(): Promise<number> {
    const { store } = this.#options;
    const found = await this.#takeSnapshot();
    const again = [...found.stale.keys()];
    const still = again.length === 0 ? found.stale : diffSnapshot(await store.snapshot(again), this.#memory, again);
    await this.#act({ ...found, stale: confirmed(found.stale, still) });
    this.#failing = false;
    return found.tookMs;
  }

  async #takeSnapshot(): Promise<Found> {
    const { store, tasks: open } = this.#options;
    const beganMs = performance.now();
    const unseen = [...open.unreconciled];
    this.#peers = new Map(livingServers(await store.serverMarks()).map(({ name, instance }) => [name, instance]));
    const [survey, silence] = await Promise.all([store.snapshot(), store.schedulers.silence()]);
    const tookMs = performance.now() - beganMs;
    return {
      snapshot: survey,
      silence,
      unreconciled: unseen,
      stale: diffSnapshot(survey, this.#memory, open.ids()),
      tookMs,
    };
  }

  async #act({ snapshot: survey, silence, unreconciled: unseen, stale: looks }: Found): Promise<void> {
    const { tasks: open, name, schedules, refreshed: looked } = this.#options;
    const foreign = new Set(this.#ownedByPeers(survey));
    open.setOwnedByPeers(foreign);
    open.foreignSchedulerAlive = [...silence].some(
      ([other, silentMs]) => other !== name && !this.#peers.has(other) && silentMs < DEAD_AFTER_MS,
    );
    open.setPeerRuns(this.#peerRuns(survey, foreign));
    const reviews = this.#reviews.next(open.ids(), (taskId) => open.owns(taskId) && open.waits(taskId));
    await open.refresh(new Map(reviews.map((taskId) => [taskId, 'all'])));
    this.#noteReconciled(unseen, await open.refresh(await this.#withoutReached(looks, survey)), survey.activeRuns);
    if (schedules && !this.#stopped) {
      const context = { scheduler: name, silence, inMemory: (taskId: number) => open.has(taskId) };
      await this.#takeOver(this.#takeovers.find(survey, context));
    }
    looked();
  }

  #ownedByPeers({ tasks }: Pick<Snapshot, 'tasks'>): number[] {
    const { name } = this.#options;
    return tasks.flatMap(({ taskId, scheduler }) => (scheduler === name ? [] : taskId));
  }

  /** What agents that are connected here have in hand, or will, for other servers. */
  #peerRuns({ activeRuns: doings }: Snapshot, foreign: ReadonlySet<number>): Snapshot['activeRuns'] {
    return doings.filter(
      ({ taskId, host, action }) => action === 'start' && foreign.has(taskId) && this.#memory.present(host),
    );
  }

  /** Without what the servers that schedule the tasks bring to the agents themselves. */
  #withoutReached(looks: StaleHosts, { tasks, activeRuns: doings }: Snapshot): Promise<StaleHosts> {
    const { store, tasks: open, connected } = this.#options;
    const starts = new Set(
      doings.flatMap(({ taskId, host, action }) => (action === 'start' ? `${taskId} ${host}` : [])),
    );
    const mayLeave = (taskId: number, host: string): boolean =>
      !open.owns(taskId) &&
      !open.knows(taskId, host) &&
      // An agent that asks for its work must be told all of it, and of one that has just come others may not know.
      connected(host) &&
      !open.unreconciled.has(host) &&
      starts.has(`${taskId} ${host}`);
    return withoutReached(looks, { store, peers: this.#peers, tasks, mayLeave });
  }

  async #takeOver({ ownedBy: from, stray, missing }: Takeovers): Promise<void> {
    const { store, tasks: open, name, log } = this.#options;
    const mine = [...missing];
    for (const [scheduler, taskIds] of from) {
      const taken = await store.schedulers.take(taskIds, scheduler, name);
      if (taken > 0) log.info({ tasks: taken, scheduler }, 'tasks taken over, whose scheduler is gone');
      mine.push(...taskIds);
    }
    for (const taskId of stray) {
      await store.schedulers.adopt(taskId, name);
      mine.push(taskId);
    }
    await open.refresh(new Map(mine.map((taskId) => [taskId, 'all'])));
  }

  /** It is known now what these hosts have to do, but for those that have a run of a task that is not clear. */
  #noteReconciled(hosts: readonly string[], unclear: ReadonlySet<number>, doings: Snapshot['activeRuns']): void {
    const held = new Set(doings.flatMap(({ taskId, host }) => (unclear.has(taskId) ? host : [])));
    for (const host of hosts) if (!held.has(host)) this.#options.tasks.unreconciled.delete(host);
  }

  #failed(error: unknown): void {
    // Once for each time that the database stays away.
    if (!this.#failing) this.#options.log.warn({ err: describeError(error) }, 'cannot see what other servers do');
    this.#failing = true;
  }
}
