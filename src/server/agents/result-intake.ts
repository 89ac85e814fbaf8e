import { ProtocolError } from '../../shared/errors.js';
import type { ResultAckFrame, ResultFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { RESULTS_IN_FLIGHT } from '../../shared/protocol/limits.js';
import { UnreadableTaskError } from '../store/store.js';
import type { AgentEvents } from '../tasks/agent-gateway.js';
import type { HeldRuns } from './held-runs.js';

export interface ResultAnswers {
  ack(frame: ResultAckFrame): void;
  /** the result was not stored */
  failed(error: unknown): void;
}

/**
 * Hands the results of one session on and answers each after its commit. An agent may have 32 under way; one more
 * breaks the protocol.
 */
export class ResultIntake {
  readonly #held: HeldRuns;
  readonly #events: Pick<AgentEvents, 'runEnded'>;
  readonly #answers: ResultAnswers;
  readonly #formerHosts: () => readonly string[];

  /** `formerHosts`: other names under which the agent may have got its runs. */
  constructor(
    held: HeldRuns,
    events: Pick<AgentEvents, 'runEnded'>,
    answers: ResultAnswers,
    formerHosts: () => readonly string[],
  ) {
    this.#held = held;
    this.#formerHosts = formerHosts;
    this.#events = events;
    this.#answers = answers;
  }

  /** A result that is being stored already is passed over. Throws ProtocolError. */
  take(host: string, frame: ResultFrame): void {
    const run = { taskId: frame.taskId, clock: frame.clock };
    if (!this.#held.deliver(run)) return;
    if (this.#held.delivering > RESULTS_IN_FLIGHT) {
      throw new ProtocolError(CloseCode.badFrame, `more than ${RESULTS_IN_FLIGHT} results without their acks`);
    }
    // Copied: the frame's bytes belong to the socket again when its handler returns.
    const copy = { ...frame, stdout: Buffer.from(frame.stdout), stderr: Buffer.from(frame.stderr) };
    this.#store(host, copy).catch((error: unknown) => this.#answers.failed(error));
  }

  async #store(host: string, frame: ResultFrame): Promise<void> {
    const run = { taskId: frame.taskId, clock: frame.clock };
    let waits = false;
    try {
      const outcome = await this.#outcome(host, frame);
      this.#answers.ack({ t: 'result-ack', ...run, outcome });
    } catch (error) {
      // The agent waits on for its answer; meanwhile its heartbeats rightly leave the run out.
      waits = error instanceof UnreadableTaskError;
      throw error;
    } finally {
      if (!waits) this.#held.settled(run);
    }
  }

  async #outcome(host: string, frame: ResultFrame): Promise<'stored' | 'unknown'> {
    if ((await this.#events.runEnded(host, frame)) === 'stored') return 'stored';
    for (const former of this.#formerHosts()) {
      if ((await this.#events.runEnded(former, frame)) === 'stored') return 'stored';
    }
    return 'unknown';
  }
}
