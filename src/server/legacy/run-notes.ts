import { CappedMap } from '../../shared/capped-map.js';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { ResultFrame } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';
import { storeResult } from '../agents/store-result.js';
import { RefusedError } from '../store/store.js';
import type { OpenRun, PulledWork } from '../tasks/agent-gateway.js';
import type { AnswerDeadline } from './answer-deadline.js';
import { neverStartedResult } from './legacy-result.js';
import type { LiveTexts } from './live-output.js';

const LOST = 'ibex: lost: the agent restarted while the script ran; it may still run, or have ended with the agent\n';

/** A result that the database refuses is tried again so long after, ms. */
const REFUSED_AGAIN_MS = 30_000;
/** Refused results that are remembered; more are tried again at each beat. */
const MAX_REFUSED = 4_096;

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
  /** when the database refused each result, by run */
  readonly #refusedMs = new CappedMap<string, number>(MAX_REFUSED);
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

  /** A run that no process was ever started for, and that is to be killed or may not start any more. */
  neverStarted(run: OpenRun): Promise<boolean> {
    const { host, work, nowMs } = this.#parts;
    return this.#once('never started', run, () => work.runEnded(host, neverStartedResult(run, nowMs())));
  }

  /**
   * True also for a run of a task that is not known: its result has no place here, and the agent may forget it. A result
   * that the database refuses even without its output is not tried again for a while.
   */
  ended(result: ResultFrame): Promise<boolean> {
    const { host, work, log, nowMs } = this.#parts;
    const name = `${result.taskId} ${result.clock}`;
    const refusedMs = this.#refusedMs.get(name);
    if (refusedMs !== undefined && nowMs() - refusedMs < REFUSED_AGAIN_MS) return Promise.resolve(false);
    return this.#once('ended', result, async () => {
      try {
        await storeResult(host, result, { events: work, log });
      } catch (error) {
        if (error instanceof RefusedError) this.#refusedMs.set(name, nowMs());
        throw error;
      }
    });
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
