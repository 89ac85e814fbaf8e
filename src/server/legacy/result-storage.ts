import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResultFrame } from '../../shared/protocol/agent-frames.js';
import { pieces } from '../../shared/pieces.js';
import type { OpenRun } from '../tasks/agent-gateway.js';
import { AnswerDeadline } from './answer-deadline.js';
import { legacyResult } from './legacy-result.js';
import type { ReportedTask } from './rpc-codec.js';
import type { RunNotes } from './run-notes.js';
import { isFinalStatus, type TrackedTask } from './tracked-task.js';

/** Results of one agent that are being stored at the same time; further ones of a report wait. */
const AT_ONCE = 32;

/** Stores the results of one agent's reports, which it sends again and again until they are left out of its list. */
export class ResultStorage {
  readonly #notes: RunNotes;
  readonly #nowMs: () => number;

  /** `nowMs`: unix ms */
  constructor(notes: RunNotes, nowMs: () => number) {
    this.#notes = notes;
    this.#nowMs = nowMs;
  }

  /** Resolves within the time of the answer, with the ids of the tasks that are not durable by then. */
  async store(
    tasks: readonly ReportedTask[],
    open: ReadonlyMap<number, OpenRun>,
    tracked: ReadonlyMap<number, TrackedTask>,
    deadline = new AnswerDeadline(),
  ): Promise<ReadonlySet<number>> {
    const results = tasks.flatMap((task) => {
      const { taskId, status } = task;
      if (!isFinalStatus(status)) return [];
      return [legacyResult({ ...task, status }, open.get(taskId), tracked.get(taskId), this.#nowMs())];
    });
    const unstored = new Set(results.map(({ taskId }) => taskId));
    const answered = new AbortController();
    await deadline.orLate(this.#storeAll(results, unstored, answered.signal), undefined);
    answered.abort();
    return unstored;
  }

  /** Takes from `unstored` what is durable. Begins nothing more once `answered` is aborted. */
  async #storeAll(results: readonly ResultFrame[], unstored: Set<number>, answered: AbortSignal): Promise<void> {
    for (const some of pieces(results, AT_ONCE)) {
      const storing = some.map(async (result) => {
        if ((await this.#notes.ended(result)) && !answered.aborted) unstored.delete(result.taskId);
      });
      await Promise.all(storing);
      if (answered.aborted) return;
      // SQLite answers without a pause: thousands of results that nobody wants would hold up everyone else.
      if (some.length === AT_ONCE) await nextTurn();
    }
  }
}
