import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { ResultFrame } from '../../shared/protocol/agent-frames.js';
import { pieces } from '../../shared/pieces.js';
import type { OpenRun, PulledWork } from '../tasks/agent-gateway.js';
import { AnswerDeadline } from './answer-deadline.js';
import { isFinalStatus, type TrackedTask } from './tracked-task.js';
import { legacyResult } from './legacy-result.js';
import type { ReportedTask } from './rpc-codec.js';

/** A result that has failed so often is stored without its text: unanswered it would keep its host from any work. */
const TRIES_WITH_TEXT = 3;
/** Results of one agent that are being stored at the same time; further ones of a report wait. */
const AT_ONCE = 32;
const NO_TEXT = Buffer.from('ibex: the output could not be stored\n');

export interface ResultStorageParts {
  readonly host: string;
  readonly work: Pick<PulledWork, 'runEnded'>;
  readonly log: Log;
  /** unix ms */
  readonly nowMs: () => number;
}

/**
 * Stores the results of one agent's reports. An agent sends each of them again and again; one that is still being
 * stored is not stored a second time, so however long the database takes, at most one of each run waits for it.
 */
export class ResultStorage {
  readonly #parts: ResultStorageParts;
  /** failures so far, by id; only of results that the agent still sends */
  #failures = new Map<number, number>();
  readonly #inFlight = new Map<string, Promise<boolean>>();

  constructor(parts: ResultStorageParts) {
    this.#parts = parts;
  }

  /** Resolves with undefined once all are durable, else with the reason why the agent is to send them again. */
  async store(
    tasks: readonly ReportedTask[],
    open: ReadonlyMap<number, OpenRun>,
    tracked: ReadonlyMap<number, TrackedTask>,
    deadline = new AnswerDeadline(),
  ): Promise<string | undefined> {
    const results = tasks.flatMap((task) => {
      const { taskId, status } = task;
      if (!isFinalStatus(status)) return [];
      return [legacyResult({ ...task, status }, open.get(taskId), tracked.get(taskId), this.#parts.nowMs())];
    });
    const given = new AbortController();
    const late = 'the results are still being stored, send them again';
    const message = await deadline.orLate(this.#storeAll(results, given.signal), late);
    given.abort();
    return message;
  }

  /** Nothing more is begun once `given` has ended. */
  async #storeAll(results: readonly ResultFrame[], given: AbortSignal): Promise<string | undefined> {
    const failures = new Map<number, number>();
    for (const some of pieces(results, AT_ONCE)) {
      if (given.aborted) break;
      const stored = await Promise.all(some.map((result) => this.#once(result)));
      some.forEach(({ taskId }, i) => {
        if (stored[i] !== true) failures.set(taskId, (this.#failures.get(taskId) ?? 0) + 1);
      });
      // SQLite answers without a pause: thousands of results that nobody wants would hold up everyone else.
      if (some.length === AT_ONCE) await nextTurn();
    }
    this.#failures = failures;
    return failures.size === 0 ? undefined : 'the results could not be stored, send them again';
  }

  #once(result: ResultFrame): Promise<boolean> {
    const name = `${result.taskId} ${result.clock}`;
    const before = this.#inFlight.get(name);
    if (before) return before;
    const stored = this.#store(result).finally(() => this.#inFlight.delete(name));
    this.#inFlight.set(name, stored);
    return stored;
  }

  async #store(result: ResultFrame): Promise<boolean> {
    if (await this.#attempt(result)) return true;
    if ((this.#failures.get(result.taskId) ?? 0) < TRIES_WITH_TEXT) return false;
    return await this.#attempt({ ...result, stdout: new Uint8Array(), stderr: NO_TEXT });
  }

  async #attempt(result: ResultFrame): Promise<boolean> {
    const { host, work, log } = this.#parts;
    const { taskId, clock } = result;
    try {
      // A result of a task that is not known has no place here: the agent may forget it.
      await work.runEnded(host, result);
      return true;
    } catch (error) {
      log.warn(
        { host, task: taskId, run: clock, err: describeError(error) },
        'a result of a legacy agent was not stored',
      );
      return false;
    }
  }
}
