import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { ResultFrame } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';
import type { OpenRun, PulledWork } from '../tasks/agent-gateway.js';
import type { AnswerDeadline } from './answer-deadline.js';
import { neverStartedResult } from './legacy-result.js';
import type { LiveTexts } from './live-output.js';

const LOST = 'ibex: lost: the agent restarted while the script ran; it may still run, or have ended with the agent\n';

export interface RunNotesParts {
  readonly host: string;
  readonly work: Pick<PulledWork, 'runDispatched' | 'runLost' | 'runEnded'>;
  readonly log: Log;
  /** unix ms */
  readonly nowMs: () => number;
}

/**
 * Writes down durably what one agent's reports make certain. An agent reports the same at every beat: a note that is
 * still being written is not written again, so at most one of a kind waits for each run.
 */
export class RunNotes {
  readonly #parts: RunNotesParts;
  readonly #inFlight = new Map<string, Promise<boolean>>();

  constructor(parts: RunNotesParts) {
    this.#parts = parts;
  }

  /** The run may have begun from now on. True once that is durable; false if it can't be noted now. */
  dispatched(run: RunId): Promise<boolean> {
    const { host, work } = this.#parts;
    return this.#once('dispatched', run, () => work.runDispatched(host, run));
  }

  /** As `dispatched`; also false if that is not known in time. */
  async dispatchedInTime(deadline: AnswerDeadline, run: RunId): Promise<boolean> {
    return await deadline.orLate(this.dispatched(run), false);
  }

  /** `reported`: the output as far as the agent has reported it. */
  lost(run: RunId, reported: LiveTexts | undefined): Promise<boolean> {
    const { host, work, log } = this.#parts;
    const stderr = `${reported?.stderr.toString() ?? ''}${LOST}`;
    return this.#once('lost', run, async () => {
      log.warn({ host, task: run.taskId, run: run.clock }, 'a legacy agent has lost a run');
      await work.runLost(host, run, { stdout: reported?.stdout.toString() ?? '', stderr });
    });
  }

  /** A run that is to be killed and that no process was ever started for. */
  neverStarted(run: OpenRun): Promise<boolean> {
    const { host, work, nowMs } = this.#parts;
    return this.#once('never started', run, () => work.runEnded(host, neverStartedResult(run, nowMs())));
  }

  /** True also for a run of a task that is not known: its result has no place here, and the agent may forget it. */
  ended(result: ResultFrame): Promise<boolean> {
    const { host, work } = this.#parts;
    return this.#once('ended', result, () => work.runEnded(host, result));
  }

  #once(kind: string, { taskId, clock }: RunId, write: () => Promise<unknown>): Promise<boolean> {
    const name = `${kind} ${taskId} ${clock}`;
    const before = this.#inFlight.get(name);
    if (before) return before;
    const noted = write()
      .then(
        () => true,
        (error: unknown) => {
          const { host, log } = this.#parts;
          log.warn({ host, task: taskId, run: clock, err: describeError(error) }, `not noted: run ${kind}`);
          return false;
        },
      )
      .finally(() => this.#inFlight.delete(name));
    this.#inFlight.set(name, noted);
    return noted;
  }
}
