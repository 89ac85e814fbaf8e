import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResultFrame } from '../../shared/protocol/agent-frames.js';
import { pieces } from '../../shared/pieces.js';
import type { OpenRun } from '../tasks/agent-gateway.js';
import { AnswerDeadline } from './answer-deadline.js';
import { isFinalStatus, type TrackedTask } from './tracked-task.js';
import { legacyResult } from './legacy-result.js';
import type { ReportedTask } from './rpc-codec.js';
import type { RunNotes } from './run-notes.js';

/** A result that has failed so often is stored without its text: unanswered it would keep its host from any work. */
const TRIES_WITH_TEXT = 3;
/** Results of one agent that are being stored at the same time; further ones of a report wait. */
const AT_ONCE = 32;
const NO_TEXT = Buffer.from('ibex: the output could not be stored\n');

/** Stores the results of one agent's reports, which it sends again and again until it is told that all are stored. */
export class ResultStorage {
  readonly #notes: RunNotes;
  readonly #nowMs: () => number;
  /** failures so far, by id; only of results that the agent still sends */
  #failures = new Map<number, number>();

  /** `nowMs`: unix ms */
  constructor(notes: RunNotes, nowMs: () => number) {
    this.#notes = notes;
    this.#nowMs = nowMs;
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
      return [legacyResult({ ...task, status }, open.get(taskId), tracked.get(taskId), this.#nowMs())];
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
      const stored = await Promise.all(some.map((result) => this.#store(result)));
      some.forEach(({ taskId }, i) => {
        if (stored[i] !== true) failures.set(taskId, (this.#failures.get(taskId) ?? 0) + 1);
      });
      // SQLite answers without a pause: thousands of results that nobody wants would hold up everyone else.
      if (some.length === AT_ONCE) await nextTurn();
    }
    this.#failures = failures;
    return failures.size === 0 ? undefined : 'the results could not be stored, send them again';
  }

  async #store(result: ResultFrame): Promise<boolean> {
    if (await this.#notes.ended(result)) return true;
    if ((this.#failures.get(result.taskId) ?? 0) < TRIES_WITH_TEXT) return false;
    return await this.#notes.ended({ ...result, stdout: new Uint8Array(), stderr: NO_TEXT });
  }
}
