import type { AgentRun, AssignFrame, ResultFrame } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';
import type { ActiveStatus } from '../../shared/task-states.js';
import type { StoredOutput } from '../core/events.js';
import type { TaskMeta } from '../core/records.js';

/** The agents as scheduling uses them, whatever they speak. Implemented by the registry of sessions. */
export interface AgentGateway {
  /** Sends to the live sessions of these hosts; hosts without one are left out (they get it after their hello). */
  assign(hosts: readonly string[], frame: AssignFrame): void;
  /** True if it was sent. */
  kill(host: string, run: RunId): boolean;
  /** True if what is assigned to the host now reaches its agent at once. */
  connected(host: string): boolean;
  /** True if the host's agent has a session here, be it one that is sent its work or one that asks for it. */
  present(host: string): boolean;
  /**
   * ms between two beats of an agent that asks for its work, also of one whose connection has just broken; 0 for an agent
   * that is sent it, and for one that is not known.
   */
  beatMs(host: string): number;
  /** True if a live session of the host lists this run as accepted or running. */
  holdsRun(host: string, run: RunId): boolean;
}

/** The agents' messages to scheduling. Implemented by the task service. */
export interface AgentEvents {
  /**
   * An agent has said hello (or was asked) and listed its runs of this cluster. Whatever it should have and does not
   * list is assigned; what it lists and should not run is killed. `newStore`: its memory of earlier runs is gone.
   */
  agentListed(host: string, runs: readonly AgentRun[], newStore: boolean): void;
  runStarted(host: string, run: RunId, startedMs: number): void;
  /** Resolves after the commit. Rejects with StoreError: the agent will send it again. */
  runEnded(host: string, result: ResultFrame): Promise<'stored' | 'unknown'>;
  /** The runs that this host's agent should list now: for comparing digests. */
  expectedRuns(host: string): readonly RunId[];
}

/** A run that scheduling has under way, as an agent that asks for its work needs it. */
export interface OpenRun extends RunId {
  readonly status: ActiveStatus;
  readonly meta: TaskMeta;
  readonly timeoutMs: number;
  /** unix ms; nobody may start it later */
  readonly startUntilMs: number;
  readonly assignedAtMs: number;
  /** an agent was sent it, or has fetched it: it may have been started */
  readonly dispatched: boolean;
  /** latest moment at which the script can have begun, unix ms; null until it is known to have begun */
  readonly startedAtMs: number | null;
  /** when an agent took it, as stored, unix ms; null if that was not noted */
  readonly startedMs: number | null;
}

/** A run that is no longer under way. */
export interface SettledRun {
  readonly timeoutMs: number;
  /** it was settled as killed and no agent has confirmed it: should the script still run, it must end */
  readonly killWanted: boolean;
}

/** Scheduling as agents use it that ask for their work instead of being sent it. Implemented by the task service. */
export interface PulledWork {
  /** In the order of their clocks. Undefined while it is not known: the list must be complete or not be used. */
  openRuns(host: string): readonly OpenRun[] | undefined;
  /** An agent is about to get this run. Resolves when that is durable; changes nothing if the run is no longer open. */
  runDispatched(host: string, run: RunId): Promise<void>;
  /** The agent that had this run knows it no more. Resolves when that is durable; a later result adds its output. */
  runLost(host: string, run: RunId, output: StoredOutput): Promise<void>;
  runEnded(host: string, result: ResultFrame): Promise<'stored' | 'unknown'>;
  /** Undefined if no such task was ever made here. */
  settledRun(host: string, run: RunId): Promise<SettledRun | undefined>;
  /** False if no such task was ever made here. */
  taskExists(taskId: number): Promise<boolean>;
}
