import { describeError, ProtocolError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { ResultAckFrame, ResultFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { RESULTS_IN_FLIGHT } from '../../shared/protocol/limits.js';
import { RefusedError, UnreadableTaskError } from '../store/store.js';
import type { AgentEvents } from '../tasks/agent-gateway.js';
import type { HeldRuns } from './held-runs.js';
import { storeResult } from './store-result.js';

export interface ResultIntakeParts {
  readonly held: HeldRuns;
  readonly server: { readonly events: Pick<AgentEvents, 'runEnded'>; readonly log: Log };
  readonly ack: (frame: ResultAckFrame) => void;
  /** The database does not answer: the result is to be sent again. */
  readonly failed: (error: unknown) => void;
  /** Other names under which the agent may have got its runs. */
  readonly formerHosts: () => readonly string[];
}

/**
 * Stores the results of one session and answers each after its commit. An agent may have 32 under way; one more breaks
 * the protocol. A result that the database refuses even without its output is left to the agent, so that it keeps no
 * place among the 32.
 */
export class ResultIntake {
  readonly #parts: ResultIntakeParts;

  constructor(parts: ResultIntakeParts) {
    this.#parts = parts;
  }

  /** A result that is being stored already is passed over. Throws ProtocolError. */
  take(host: string, frame: ResultFrame): void {
    const { held, failed } = this.#parts;
    const run = { taskId: frame.taskId, clock: frame.clock };
    if (!held.deliver(run)) return;
    if (held.delivering > RESULTS_IN_FLIGHT) {
      throw new ProtocolError(CloseCode.badFrame, `more than ${RESULTS_IN_FLIGHT} results without their acks`);
    }
    // Copied: the frame's bytes belong to the socket again when its handler returns.
    const copy = { ...frame, stdout: Buffer.from(frame.stdout), stderr: Buffer.from(frame.stderr) };
    this.#store(host, copy).catch(failed);
  }

  async #store(host: string, frame: ResultFrame): Promise<void> {
    const { held, ack } = this.#parts;
    const run = { taskId: frame.taskId, clock: frame.clock };
    let waits = false;
    try {
      ack({ t: 'result-ack', ...run, outcome: await this.#outcome(host, frame) });
    } catch (error) {
      // The agent waits on for its answer; meanwhile its heartbeats rightly leave the run out.
      waits = error instanceof UnreadableTaskError;
      throw error;
    } finally {
      if (!waits) held.settled(run);
    }
  }

  async #outcome(host: string, frame: ResultFrame): Promise<ResultAckFrame['outcome']> {
    const { server, formerHosts } = this.#parts;
    try {
      if ((await storeResult(host, frame, server)) === 'stored') return 'stored';
      for (const former of formerHosts()) {
        if ((await storeResult(former, frame, server)) === 'stored') return 'stored';
      }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const { taskId: task, clock: run } = frame;
      server.log.error(
        { host, task, run, err: describeError(error) },
        'the database refuses a result, its agent keeps it',
      );
    }
    return 'unknown';
  }
}
