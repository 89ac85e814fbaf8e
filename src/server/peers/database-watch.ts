import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { Store, Survey } from '../store/store.js';
import type { OpenTasks } from '../tasks/open-tasks.js';
import { RunIndex } from '../tasks/run-index.js';
import { ClaimFinder, DEAD_AFTER_MS, type Claims } from './claims.js';
import { compareSurvey, inBoth, type Looks, type Memory } from './compare-survey.js';

/** Tasks that are read at the same time. */
const READ_AT_ONCE = 8;
/** The database is not asked for more than this part of the time. */
const MOST_OF_THE_TIME = 0.2;

export interface DatabaseWatchOptions {
  readonly store: Store;
  readonly open: OpenTasks;
  /** the name of this server in the tables */
  readonly name: string;
  /** false: tasks are left to other schedulers */
  readonly schedules: boolean;
  readonly present: (host: string) => boolean;
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
}

/**
 * Looks about once a second at what other programs have written into the database: other servers of ours, a Go ibex, a
 * Nightingale that schedules by itself. Says meanwhile that this server lives, and takes the tasks of those that do
 * not. This is the slow way that is always right.
 */
export class DatabaseWatch implements AsyncDisposable {
  readonly #options: DatabaseWatchOptions;
  readonly #memory: Memory;
  readonly #claims = new ClaimFinder();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  readonly #came: string[] = [];
  #failing = false;
  #stopped = false;

  constructor(options: DatabaseWatchOptions) {
    this.#options = options;
    const { open, name, schedules, present } = options;
    this.#memory = {
      scheduler: schedules ? name : undefined,
      state: (taskId) => open.state(taskId),
      mine: (taskId) => open.mine(taskId),
      present,
    };
  }

  /** Resolves after the first look, with this server's own tasks in memory. Rejects with StoreError. */
  async start(): Promise<void> {
    const { store, open, name, schedules } = this.#options;
    await store.schedulers.beat(name);
    const { tasks } = await store.survey();
    if (!store.shared) await this.#takeAll(tasks);
    if (schedules) {
      const mine = store.shared ? tasks.filter(({ scheduler }) => scheduler === name) : tasks;
      await open.load(mine.map(({ taskId }) => taskId));
    }
    if (!store.shared) return;
    await this.#act(await this.#survey());
    this.#again(this.#options.intervalMs);
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

  /** Looks at some tasks at once. */
  async look(taskIds: readonly number[]): Promise<void> {
    if (this.#stopped || taskIds.length === 0) return;
    try {
      const survey = await this.#options.store.survey(taskIds);
      await this.#lookAt(await this.#withoutReached(compareSurvey(survey, this.#memory, taskIds), survey.tasks));
      this.#options.looked();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A host's agent has come: what other servers have for it is looked up, together with those that come at its time. */
  agentCame(host: string): void {
    if (!this.#options.store.shared || this.#stopped) return;
    this.#options.open.unseen.add(host);
    this.#came.push(host);
    if (this.#came.length === 1) setImmediate(() => void this.#lookForHosts(this.#came.splice(0)));
  }

  async #lookForHosts(hosts: readonly string[]): Promise<void> {
    const { store, open } = this.#options;
    try {
      const doings = await store.doingsOf(hosts);
      if (this.#stopped) return;
      const byTask = Map.groupBy(
        doings.filter(({ taskId }) => !open.mine(taskId)),
        ({ taskId }) => taskId,
      );
      const { tasks } = await store.survey([...byTask.keys()]);
      const looks = new Map([...byTask].map(([taskId, of]) => [taskId, of.map(({ host }) => host)]));
      await this.#lookAt(await this.#withoutReached(looks, tasks));
      for (const host of hosts) open.unseen.delete(host);
    } catch (error) {
      // The next look at all of the database finds them.
      this.#failed(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    const { store, name, log } = this.#options;
    // So that others need not wait until this one seems dead.
    await store.schedulers.retire(name).catch((error: unknown) => {
      log.warn({ err: describeError(error) }, 'other servers will take the tasks of this one only after a while');
    });
  }

  #again(waitMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      const startMs = performance.now();
      this.#round = this.#lookAround()
        .catch((error: unknown) => this.#failed(error))
        .finally(() => {
          const tookMs = performance.now() - startMs;
          this.#again(Math.max(this.#options.intervalMs - tookMs, tookMs / MOST_OF_THE_TIME - tookMs));
        });
    }, waitMs);
  }

  async #lookAround(): Promise<void> {
    const { store, name } = this.#options;
    await store.schedulers.beat(name);
    const found = await this.#survey();
    const again = [...found.looks.keys()];
    const still = again.length === 0 ? found.looks : compareSurvey(await store.survey(again), this.#memory, again);
    await this.#act({ ...found, looks: inBoth(found.looks, still) });
    this.#failing = false;
  }

  async #survey(): Promise<Found> {
    const { store, open } = this.#options;
    const unseen = [...open.unseen];
    const [survey, silence] = await Promise.all([store.survey(), store.schedulers.silence()]);
    return { survey, silence, unseen, looks: compareSurvey(survey, this.#memory, open.ids()) };
  }

  async #act({ survey, silence, unseen, looks }: Found): Promise<void> {
    const { open, name, schedules, looked } = this.#options;
    const foreign = survey.tasks.filter(({ scheduler }) => scheduler !== name);
    open.noteElsewhere(new Set(foreign.map(({ taskId }) => taskId)));
    const others = [...silence].filter(([scheduler]) => scheduler !== name);
    open.peersLive = foreign.length > 0 || others.some(([, silentMs]) => silentMs < DEAD_AFTER_MS);
    open.foreignRuns = this.#foreignRuns(survey, new Set(foreign.map(({ taskId }) => taskId)));
    await this.#lookAt(await this.#withoutReached(looks, survey.tasks));
    for (const host of unseen) open.unseen.delete(host);
    if (schedules) {
      const context = { scheduler: name, silence, inMemory: (taskId: number) => open.has(taskId) };
      await this.#claim(this.#claims.find(survey, context));
    }
    looked();
  }

  /** What agents that are connected here have in hand, or will, for other servers. */
  #foreignRuns({ doings }: Survey, foreign: ReadonlySet<number>): RunIndex {
    const runs = new RunIndex();
    for (const { taskId, host, clock, action } of doings) {
      if (action === 'start' && foreign.has(taskId) && this.#memory.present(host)) runs.set(host, { taskId, clock });
    }
    return runs;
  }

  /** Without new starts on hosts that the server which schedules their task reaches by itself. */
  async #withoutReached(looks: Looks, tasks: Survey['tasks']): Promise<Looks> {
    const { store, open } = this.#options;
    const isNew = (taskId: number, host: string): boolean => !open.mine(taskId) && !open.knows(taskId, host);
    const hosts = [...looks].flatMap(([taskId, of]) => (of === 'all' ? [] : of.filter((host) => isNew(taskId, host))));
    if (hosts.length === 0) return looks;
    const found = await store.serversOf([...new Set(hosts)], DEAD_AFTER_MS);
    const reached = new Set(found.map(({ host, server }) => `${server} ${host}`));
    const schedulers = new Map(tasks.map(({ taskId, scheduler }) => [taskId, scheduler]));
    const rest = new Map<number, readonly string[] | 'all'>();
    for (const [taskId, of] of looks) {
      const left =
        of === 'all'
          ? of
          : of.filter((host) => !isNew(taskId, host) || !reached.has(`${schedulers.get(taskId)} ${host}`));
      if (left === 'all' || left.length > 0) rest.set(taskId, left);
    }
    return rest;
  }

  async #claim({ from, stray, missing }: Claims): Promise<void> {
    const { store, name, log } = this.#options;
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
    await this.#lookAt(new Map(mine.map((taskId) => [taskId, 'all'])));
  }

  async #lookAt(looks: Looks): Promise<void> {
    const next = looks.entries();
    const reader = async (): Promise<void> => {
      for (const [taskId, hosts] of next) await this.#options.open.look(taskId, hosts);
    };
    await Promise.all(Array.from({ length: Math.min(READ_AT_ONCE, looks.size) }, reader));
  }

  #failed(error: unknown): void {
    // Once for each time that the database stays away.
    if (!this.#failing) this.#options.log.warn({ err: describeError(error) }, 'cannot see what other servers do');
    this.#failing = true;
  }
}
