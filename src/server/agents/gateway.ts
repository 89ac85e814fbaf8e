import type { AgentRun, AssignFrame, ResultFrame } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';

/** What scheduling needs of the agents, whatever they speak. Implemented by the registry of sessions. */
export interface AgentGateway {
  /** Sends to the live sessions of these hosts; hosts without one are left out (they get it when they say hello). */
  assign(hosts: readonly string[], frame: AssignFrame): void;
  /** True if it was sent. */
  kill(host: string, run: RunId): boolean;
  connected(host: string): boolean;
  /** True if a live session of the host lists this run as accepted or running. */
  holdsRun(host: string, run: RunId): boolean;
}

/** What sessions tell scheduling. Implemented by the task service. */
export interface AgentEvents {
  /**
   * An agent has said hello (or was asked) and listed its runs of this cluster. Whatever it should have and does not
   * list is assigned; what it lists and should not run is killed. `newStore`: its memory of earlier runs is gone.
   */
  agentListed(host: string, runs: readonly AgentRun[], newStore: boolean): void;
  runStarted(host: string, run: RunId, startedMs: number): void;
  /** Resolves after the commit. Rejects with StoreError: the agent will send it again. */
  runEnded(host: string, result: ResultFrame): Promise<'stored' | 'unknown'>;
  /** Runs this host should have in hand now: for comparing digests. */
  expectedRuns(host: string): readonly RunId[];
}

/** What the API and the tail need of running scripts. Implemented by the output relay. */
export interface OutputSource {
  /**
   * The last `bytes` bytes of what a running (or kept) run has written so far, or undefined when no session of the
   * host answers within `timeoutMs`. Equal questions at the same time share one answer.
   */
  current(
    host: string,
    run: RunId,
    bytes: number,
    timeoutMs: number,
  ): Promise<{ readonly stdout: string; readonly stderr: string } | undefined>;
}
