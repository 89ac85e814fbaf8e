import { AgentRunState, type AgentRun, type HeartbeatFrame } from '../../shared/protocol/agent-frames.js';
import { runsDigest } from '../../shared/protocol/runs-digest.js';
import type { RunId } from '../../shared/run-key.js';

/** How many heartbeats in a row must differ from what is expected: one may cross a result that is being stored. */
const DIFFERENCES_BEFORE_ASKING = 2;

/** What one agent is known to hold: the runs it listed or took since, and the results it has sent. */
export class HeldRuns {
  readonly #held = new Map<string, RunId>();
  readonly #delivered = new Set<string>();
  #differences = 0;

  get runs(): readonly RunId[] {
    return [...this.#held.values()];
  }

  /** Results received whose commit has not been answered yet. */
  get delivering(): number {
    return this.#delivered.size;
  }

  list(runs: readonly AgentRun[]): void {
    this.#held.clear();
    for (const run of runs) if (run.state !== AgentRunState.ended) this.add(run);
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
   * Compares a heartbeat with the runs that the agent should have. True when it has differed often enough that the
   * agent should list its runs anew.
   */
  differs(beat: HeartbeatFrame, expected: readonly RunId[]): boolean {
    const open = this.#delivered.size === 0 ? expected : expected.filter((run) => !this.#delivered.has(name(run)));
    if (beat.runs === open.length && beat.digest === runsDigest(open)) {
      this.#differences = 0;
      return false;
    }
    this.#differences = (this.#differences + 1) % DIFFERENCES_BEFORE_ASKING;
    return this.#differences === 0;
  }
}

function name({ taskId, clock }: RunId): string {
  return `${taskId}-${clock}`;
}
