import type { RunId } from '../../shared/run-key.js';
import type { ResultEvent } from '../core/events.js';
import { killUnconfirmed, lateOutput, resultEffect } from '../core/late-results.js';
import { actionInForce } from '../core/action-in-force.js';
import { resumeTask } from '../core/resume-task.js';
import { reportDetail } from '../core/run-details.js';
import type { Store } from '../store/store.js';
import { hostState } from './task-service.js';
import type { WatchedTask } from './task-watchers.js';

/** Tasks that are not in memory, as the store has them; most have ended. */
export class ClosedTasks {
  readonly #store: Store;
  readonly #nowMs: () => number;

  constructor(store: Store, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /**
   * Stores a result that arrives after its task has ended, by the rule in core/late-results. Rejects with StoreError.
   */
  async report(taskId: number, event: ResultEvent): Promise<'stored' | 'unknown'> {
    const run = await this.#store.lastRun(taskId, event.host);
    const effect = resultEffect(run, event.clock);
    if (!run || effect === 'unknown') return 'unknown';
    if (effect === 'ends') {
      // Another program has ended the task although this host's run was under way.
      const { host, clock, status: to, output, report } = event;
      const detail = reportDetail(host, { taskId, clock }, report, true);
      await this.#store.commit([{ kind: 'end-host', taskId, host, from: run.status, to, output, detail }]);
    } else if (effect !== 'repeats') await this.#store.commit([lateOutput(taskId, event, effect)]);
    return 'stored';
  }

  /** True where the agent is to kill this run, should it still have it. */
  async killWanted(taskId: number, host: string, clock: number): Promise<boolean> {
    const run = await this.#store.lastRun(taskId, host);
    return run !== undefined && run.startClock === clock && killUnconfirmed(run);
  }

  /** Of these runs of a host, those of done tasks that the agent is to kill, by `killWanted`. */
  async killsWanted(host: string, runs: readonly RunId[]): Promise<RunId[]> {
    const open = await this.#store.openAmong(runs.map(({ taskId }) => taskId));
    const wanted: RunId[] = [];
    for (const run of runs.filter(({ taskId }) => !open.has(taskId))) {
      if (await this.killWanted(run.taskId, host, run.clock)) wanted.push(run);
    }
    return wanted;
  }

  /** A task that is not in memory, or not all of it; undefined if there is no such task. */
  async read(taskId: number): Promise<WatchedTask | undefined> {
    const open = await this.#store.openTask(taskId);
    if (open) {
      const state = resumeTask(open, { startWithinMs: Number.POSITIVE_INFINITY, judgeFromMs: 0 }, this.#nowMs());
      return { hosts: state.hosts.map((entry) => hostState(entry, state.rules)), action: actionInForce(state) };
    }
    if (!(await this.exists(taskId))) return undefined;
    const [hosts, runs] = await Promise.all([this.#store.hosts(taskId), this.#store.runDetails(taskId)]);
    const clocks = new Map(runs.map((run) => [run.host, run.clock]));
    return {
      hosts: hosts.map(({ host, status }) => ({ host, status, clock: clocks.get(host) ?? 0, startBeforeMs: null })),
      action: undefined,
    };
  }

  async exists(taskId: number): Promise<boolean> {
    return (await this.#store.meta(taskId)) !== undefined;
  }
}
