import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '../../shared/errors.js';
import type { RunId } from '../../shared/run-key.js';
import type { Log } from '../../shared/log.js';
import type { Store, Survey } from '../store/store.js';
import { ClaimFinder, DEAD_AFTER_MS, type Claims } from './claims.js';
import { compareSurvey, inBoth, isHeld, type Looks, type Memory } from './compare-survey.js';
import { livingServers } from './living-servers.js';
import { withoutReached, type Peers } from './reached-hosts.js';
import { ReviewQueue } from './review-queue.js';
import type { WatchedTasks } from './watched-tasks.js';

/** The database is not surveyed for more than this part of the time, but at least once in LONGEST_PAUSE_MS. */
const MOST_OF_THE_TIME = 0.2;
const LONGEST_PAUSE_MS = 3_000;
/** Between two looks at what others have told of. */
const HINT_PAUSE_MS = 50;

export interface DatabaseWatchOptions {
  readonly store: Store;
  readonly open: WatchedTasks;
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
  readonly looked: () => void;
  readonly intervalMs: number;
  readonly log: Log;
}

interface Found {
  readonly survey: Survey;
  readonly silence: ReadonlyMap<string, number>;
  /** hosts whose agents had come before the survey was made */
  readonly unseen: readonly string[];
  readonly looks: Looks;
  readonly tookMs: number;
}

/**
 * Looks about once a second at what other programs have written into the database: other servers of ours, a Go ibex, a
 * Nightingale that schedules by itself; and takes the tasks of schedulers that are gone. This is the slow way that is
 * always right.
 */
export class DatabaseWatch implements AsyncDisposable {
  readonly #options: DatabaseWatchOptions;
  readonly #memory: Memory;
  readonly #claims = new ClaimFinder();
  readonly #reviews = new ReviewQueue();
  readonly #came: string[] = [];
  /** looks for hosts that came together, while they are under way */
  readonly #arrivals = new Set<Promise<void>>();
  readonly #told = new Set<number>();
  #peers: Peers = new Map();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #telling: Promise<void> | undefined;
  #failing = false;
  #stopped = false;

  constructor(options: DatabaseWatchOptions) {
    this.#options = options;
    const { open, name, schedules, present, connected, holds } = options;
    this.#memory = {
      scheduler: schedules ? name : undefined,
      state: (taskId) => open.state(taskId),
      mine: (taskId) => open.mine(taskId),
      present,
      holds: (host, run) => connected(host) && holds(host, run),
    };
  }

  /** Resolves after the first look, with this server's own tasks in memory. Rejects with StoreError. */
  async start(): Promise<void> {
    const { store, open, name, schedules } = this.#options;
    const { tasks, doings } = await store.survey();
    if (!store.shared) await this.#takeAll(tasks);
    if (schedules) {
      const mine = store.shared ? tasks.filter(({ scheduler }) => scheduler === name) : tasks;
      await open.load(
        mine.map(({ taskId }) => taskId),
        doings,
      );
    }
    if (!store.shared) return;
    await this.#act(await this.#survey());
    this.#again(this.#options.intervalMs);
  }

  /** Looks at these tasks soon, together with others that are told of. */
  look(taskIds: readonly number[]): void {
    if (this.#stopped) return;
    for (const taskId of taskIds) this.#told.add(taskId);
    this.#telling ??= this.#lookAtTold().finally(() => {
      this.#telling = undefined;
    });
  }

  /**
   * A host's agent has come: what other servers have for it is looked up, together with those that come at its time.
   */
  agentCame(host: string): void {
    if (!this.#options.store.shared || this.#stopped) return;
    this.#options.open.unseen.add(host);
    this.#came.push(host);
    if (this.#came.length > 1) return;
    setImmediate(() => {
      const looking = this.#lookForHosts(this.#came.splice(0)).finally(() => this.#arrivals.delete(looking));
      this.#arrivals.add(looking);
    });
  }

  /** Takes nothing over any more, and resolves when nothing is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#telling;
    await Promise.all(this.#arrivals);
  }

  /** Nobody else can have the tasks of a database of one's own, whatever this server was called before. */
  async #takeAll(tasks: Survey['tasks']): Promise<void> {
    const { store, name } = this.#options;
    const others = tasks.filter(({ scheduler }) => scheduler !== name);
    for (const [scheduler, of] of Map.groupBy(others, (task) => task.scheduler)) {
      const taskIds = of.map(({ taskId }) => taskId);
      if (scheduler !== undefined) await store.schedulers.take(taskIds, scheduler, name);
      else for (const taskId of taskIds) await store.schedulers.adopt(taskId, name);
    }
  }

  async #lookAtTold(): Promise<void> {
    const { store, open, looked } = this.#options;
    while (this.#told.size > 0 && !this.#stopped) {
      const taskIds = [...this.#told];
      this.#told.clear();
      try {
        const survey = await store.survey(taskIds);
        open.addElsewhere(this.#foreign(survey));
        await open.lookAt(await this.#left(compareSurvey(survey, this.#memory, taskIds), survey));
        looked();
      } catch (error) {
        this.#failed(error);
      }
      await wait(HINT_PAUSE_MS, undefined, { ref: false });
    }
  }

  async #lookForHosts(hosts: readonly string[]): Promise<void> {
    const { store, open } = this.#options;
    if (this.#stopped) return;
    try {
      const doings = (await store.doingsOf(hosts)).filter(
        (doing) => !open.mine(doing.taskId) && !isHeld(doing, this.#memory),
      );
      if (this.#stopped) return;
      const byTask = Map.groupBy(doings, ({ taskId }) => taskId);
      const { tasks } = await store.survey([...byTask.keys()]);
      open.addElsewhere(this.#foreign({ tasks }));
      const looks = new Map([...byTask].map(([taskId, of]) => [taskId, of.map(({ host }) => host)]));
      const unclear = await open.lookAt(await this.#left(looks, { tasks, doings }));
      this.#noteSeen(hosts, unclear, doings);
    } catch (error) {
      // The next look at all of the database finds them.
      this.#failed(error);
    }
  }

  #again(waitMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#lookAround().then(
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
  async #lookAround(): Promise<number> {
    const { store } = this.#options;
    const found = await this.#survey();
    const again = [...found.looks.keys()];
    const still = again.length === 0 ? found.looks : compareSurvey(await store.survey(again), this.#memory, again);
    await this.#act({ ...found, looks: inBoth(found.looks, still) });
    this.#failing = false;
    return found.tookMs;
  }

  async #survey(): Promise<Found> {
    const { store, open } = this.#options;
    const beganMs = performance.now();
    const unseen = [...open.unseen];
    this.#peers = new Map(livingServers(await store.serverMarks()).map(({ name, instance }) => [name, instance]));
    const [survey, silence] = await Promise.all([store.survey(), store.schedulers.silence()]);
    const tookMs = performance.now() - beganMs;
    return { survey, silence, unseen, looks: compareSurvey(survey, this.#memory, open.ids()), tookMs };
  }

  async #act({ survey, silence, unseen, looks }: Found): Promise<void> {
    const { open, name, schedules, looked } = this.#options;
    const foreign = new Set(this.#foreign(survey));
    open.setElsewhere(foreign);
    open.strangersLive = [...silence].some(
      ([other, silentMs]) => other !== name && !this.#peers.has(other) && silentMs < DEAD_AFTER_MS,
    );
    open.setForeignRuns(this.#foreignRuns(survey, foreign));
    const reviews = this.#reviews.next(open.ids(), (taskId) => open.mine(taskId) && open.waits(taskId));
    await open.lookAt(new Map(reviews.map((taskId) => [taskId, 'all'])));
    this.#noteSeen(unseen, await open.lookAt(await this.#left(looks, survey)), survey.doings);
    if (schedules && !this.#stopped) {
      const context = { scheduler: name, silence, inMemory: (taskId: number) => open.has(taskId) };
      await this.#claim(this.#claims.find(survey, context));
    }
    looked();
  }

  #foreign({ tasks }: Pick<Survey, 'tasks'>): number[] {
    const { name } = this.#options;
    return tasks.flatMap(({ taskId, scheduler }) => (scheduler === name ? [] : taskId));
  }

  /** What agents that are connected here have in hand, or will, for other servers. */
  #foreignRuns({ doings }: Survey, foreign: ReadonlySet<number>): Survey['doings'] {
    return doings.filter(
      ({ taskId, host, action }) => action === 'start' && foreign.has(taskId) && this.#memory.present(host),
    );
  }

  /** Without what the servers that schedule the tasks bring to the agents themselves. */
  #left(looks: Looks, { tasks, doings }: Survey): Promise<Looks> {
    const { store, open, connected } = this.#options;
    const starts = new Set(
      doings.flatMap(({ taskId, host, action }) => (action === 'start' ? `${taskId} ${host}` : [])),
    );
    const mayLeave = (taskId: number, host: string): boolean =>
      !open.mine(taskId) &&
      !open.knows(taskId, host) &&
      // An agent that asks for its work must be told all of it, and of one that has just come others may not know.
      connected(host) &&
      !open.unseen.has(host) &&
      starts.has(`${taskId} ${host}`);
    return withoutReached(looks, { store, peers: this.#peers, tasks, mayLeave });
  }

  async #claim({ from, stray, missing }: Claims): Promise<void> {
    const { store, open, name, log } = this.#options;
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
    await open.lookAt(new Map(mine.map((taskId) => [taskId, 'all'])));
  }

  /** It is known now what these hosts have to do, but for those that have a run of a task that is not clear. */
  #noteSeen(hosts: readonly string[], unclear: ReadonlySet<number>, doings: Survey['doings']): void {
    const held = new Set(doings.flatMap(({ taskId, host }) => (unclear.has(taskId) ? host : [])));
    for (const host of hosts) if (!held.has(host)) this.#options.open.unseen.delete(host);
  }

  #failed(error: unknown): void {
    // Once for each time that the database stays away.
    if (!this.#failing) this.#options.log.warn({ err: describeError(error) }, 'cannot see what other servers do');
    this.#failing = true;
  }
}
