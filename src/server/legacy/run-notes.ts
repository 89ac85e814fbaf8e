import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { RunId } from '../../shared/run-key.js';
import type { OpenRun, PulledWork } from '../tasks/agent-gateway.js';
import type { AnswerDeadline } from './answer-deadline.js';
import { unstartedResult } from './legacy-result.js';
import type { LiveTexts } from './live-output.js';

const LOST = 'ibex: lost: the agent restarted while the script ran; it may still run, or have ended with the agent\n';

/**
 * What one agent's reports make certain, written down durably. An agent says the same at every beat: what is still
 * being written is not written again, so at most one note of a kind waits for each run.
 */
export class RunNotes {
  readonly #host: string;
  readonly #work: PulledWork;
  readonly #log: Log;
  readonly #inFlight = new Map<string, Promise<boolean>>();

  constructor(host: string, work: PulledWork, log: Log) {
    this.#host = host;
    this.#work = work;
    this.#log = log;
  }

  /** It may have begun from now on. True once that is durable; false if it can't be noted now. */
  taken(run: RunId): Promise<boolean> {
    return this.#once('taken', run, () => this.#work.runDispatched(this.#host, run));
  }

  /** As `taken`; also false if that is not known in time. */
  async takenInTime(time: AnswerDeadline, run: RunId): Promise<boolean> {
    return await time.orLate(this.taken(run), false);
  }

  /** `told`: what the agent has told of its output. */
  lost(run: RunId, told: LiveTexts | undefined): Promise<boolean> {
    const stderr = `${told?.stderr.toString() ?? ''}${LOST}`;
    return this.#once('lost', run, async () => {
      this.#log.warn({ host: this.#host, task: run.taskId }, 'a legacy agent has lost a run');
      await this.#work.runLost(this.#host, run, { stdout: told?.stdout.toString() ?? '', stderr });
    });
  }

  /** A run that is to be killed and that no process was ever started for. */
  unstarted(run: OpenRun): Promise<boolean> {
    return this.#once('unstarted', run, async () => {
      await this.#work.runEnded(this.#host, unstartedResult(run));
    });
  }

  #once(kind: string, { taskId, clock }: RunId, write: () => Promise<void>): Promise<boolean> {
    const name = `${kind} ${taskId} ${clock}`;
    const before = this.#inFlight.get(name);
    if (before) return before;
    const noted = write()
      .then(
        () => true,
        (error: unknown) => {
          this.#log.warn({ host: this.#host, task: taskId, err: describeError(error) }, `not noted: run ${kind}`);
          return false;
        },
      )
      .finally(() => this.#inFlight.delete(name));
    this.#inFlight.set(name, noted);
    return noted;
  }
}
