import { ProtocolError } from '../../shared/errors.js';
import {
  AgentRunState,
  type AgentRun,
  type HeartbeatFrame,
  type RunsFrame,
} from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { runsDigest } from '../../shared/protocol/runs-digest.js';
import type { RunId } from '../../shared/run-key.js';

/** Runs that one agent may list; more break the protocol. */
const MAX_LISTED_RUNS = 100_000;
/**
 * Heartbeats in a row that differ from what is expected, each in another way, before the agent is asked: it is busy,
 * and each of them crosses a result that is being stored, or a run of another server that is not known here yet.
 */
const DIFFERENCES_BEFORE_ASKING = 4;

/**
 * The runs that one agent is known to hold, as it has listed and accepted them and its heartbeats confirm, and the
 * results that it has sent.
 */
export class HeldRuns {
  readonly #held = new Map<string, RunId>();
  readonly #delivered = new Set<string>();
  /** of a list whose last part has not come yet */
  #listed: AgentRun[] = [];
  #differences = 0;
  #lastDifference = '';

  get runs(): readonly RunId[] {
    return [...this.#held.values()];
  }

  /** Results received whose commit has not been answered yet. */
  get delivering(): number {
    return this.#delivered.size;
  }

  /** Takes a part of the agent's list. Returns the whole with its last part, undefined before. Throws ProtocolError. */
  list({ runs, last }: RunsFrame): readonly AgentRun[] | undefined {
    for (const run of runs) this.#listed.push(run);
    if (this.#listed.length > MAX_LISTED_RUNS) {
      throw new ProtocolError(CloseCode.badFrame, 'runs: too many in one list');
    }
    if (!last) return undefined;
    const whole = this.#listed;
    this.#listed = [];
    this.#held.clear();
    for (const run of whole) if (run.state !== AgentRunState.ended) this.add(run);
    return whole;
  }

  add({ taskId, clock }: RunId): void {
    this.#held.set(name({ taskId, clock }), { taskId, clock });
  }

  has(run: RunId): boolean {
    return this.#held.has(name(run));
  }

  /** A result came. False if the same one is being stored already. */
  deliver(run: RunId): boolean {
    this.#held.delete(name(run));
    if (this.#delivered.has(name(run))) return false;
    this.#delivered.add(name(run));
    return true;
  }

  settled(run: RunId): void {
    this.#delivered.delete(name(run));
  }

  /**
   * Compares a heartbeat with the runs that the agent should have. True when it has differed twice in the same way, or
   * often enough, so that the agent should list its runs anew.
   */
  differs(beat: HeartbeatFrame, expected: readonly RunId[]): boolean {
    const open = this.#delivered.size === 0 ? expected : expected.filter((run) => !this.#delivered.has(name(run)));
    const digest = runsDigest(open);
    if (beat.runs === open.length && beat.digest === digest) {
      this.#forgetDifferences();
      this.#confirm(open);
      return false;
    }
    const difference = `${beat.digest} ${digest}`;
    this.#differences += 1;
    const asks = difference === this.#lastDifference || this.#differences >= DIFFERENCES_BEFORE_ASKING;
    this.#lastDifference = difference;
    if (asks) this.#forgetDifferences();
    return asks;
  }

  #forgetDifferences(): void {
    this.#differences = 0;
    this.#lastDifference = '';
  }

  /** The agent has just these, whichever server has sent them. */
  #confirm(runs: readonly RunId[]): void {
    if (runs.length === this.#held.size && runs.every((run) => this.has(run))) return;
    this.#held.clear();
    for (const run of runs) this.add(run);
  }
}

function name({ taskId, clock }: RunId): string {
  return `${taskId}-${clock}`;
}
