import { ProtocolError } from '../../shared/errors.js';
import type { AgentRun, RunsFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';

/** Runs that one agent may list; more break the protocol. */
const MAX_LISTED_RUNS = 100_000;

/** Joins the parts of an agent's list of runs. */
export class RunListing {
  #runs: AgentRun[] = [];

  /** The whole list with its last part, undefined before that. Throws ProtocolError. */
  add({ runs, last }: RunsFrame): readonly AgentRun[] | undefined {
    for (const run of runs) this.#runs.push(run);
    if (this.#runs.length > MAX_LISTED_RUNS) {
      throw new ProtocolError(CloseCode.badFrame, 'runs: too many in one list');
    }
    if (!last) return undefined;
    const whole = this.#runs;
    this.#runs = [];
    return whole;
  }
}
