import type { AgentRunState } from '../../shared/protocol/agent-frames.js';
import type { RunReport } from '../../shared/run-report.js';
import type { HostAction, RunOutcome, TaskAction } from '../../shared/task-states.js';

/** Text of both streams as it is stored. */
export interface StoredOutput {
  readonly stdout: string;
  readonly stderr: string;
}

export interface ResultEvent {
  readonly kind: 'result';
  readonly host: string;
  readonly clock: number;
  readonly status: RunOutcome;
  readonly output: StoredOutput;
  readonly report: RunReport;
}

export interface StartedEvent {
  readonly kind: 'started';
  readonly host: string;
  readonly clock: number;
  readonly startedMs: number;
}

export interface ListedEvent {
  readonly kind: 'listed';
  readonly host: string;
  /** runs of this task that the agent named, by clock */
  readonly runs: ReadonlyMap<number, AgentRunState>;
  /** the agent's memory of earlier runs is gone */
  readonly newStore: boolean;
}

/** Other programs may have changed these hosts of the task, or the task itself; all of it has just been read again. */
export interface RefreshEvent {
  readonly kind: 'refresh';
  readonly hosts: readonly string[] | 'all';
}

/** Everything that can happen to a task after its creation. */
export type TaskEvent =
  | { readonly kind: 'task-action'; readonly action: TaskAction }
  | { readonly kind: 'host-action'; readonly host: string; readonly action: HostAction }
  | ResultEvent
  | StartedEvent
  | ListedEvent
  /** the agent that had the run knows nothing of it any more; `output` is what it had reported of it */
  | { readonly kind: 'lost'; readonly host: string; readonly clock: number; readonly output: StoredOutput }
  | RefreshEvent
  /** the state's `wakeAtMs` is reached */
  | { readonly kind: 'wake' };

/** How an action ended: `hint` goes into dat, `refused` into err with status 200, `notFound` is a 404. */
export type ActionOutcome =
  | { readonly outcome: 'done'; readonly hint?: string }
  | { readonly outcome: 'refused'; readonly why: string }
  | { readonly outcome: 'not-found' };

/** The answer to one event, given to its sender once the changes are durable. */
export type Answer = ActionOutcome | { readonly outcome: 'stored' } | { readonly outcome: 'unknown' };

export const DONE: Answer = Object.freeze({ outcome: 'done' } as const);
export const STORED: Answer = Object.freeze({ outcome: 'stored' } as const);
export const UNKNOWN: Answer = Object.freeze({ outcome: 'unknown' } as const);

/** A message to an agent, sent once the changes are durable. */
export type Effect =
  | { readonly kind: 'assign'; readonly host: string; readonly clock: number }
  | { readonly kind: 'kill'; readonly host: string; readonly clock: number };

/** The agents' sessions at this moment. */
export interface Reach {
  connected(host: string): boolean;
  /** a live session of the host lists this run as accepted or running */
  holds(host: string, clock: number): boolean;
  /**
   * ms between two beats of an agent that asks for its work, also of one that has just gone; 0 for one that is sent it
   */
  beatMs(host: string): number;
  /** a foreign scheduler may reach the host's agent, and may have dispatched what is in the database */
  foreignSchedulerMayReach(host: string): boolean;
}

export interface Context {
  readonly nowMs: number;
  /**
   * The name under which this server owns the task. Undefined: a peer owns it; then nothing is started, ended or settled
   * but what an event asks for, and the state need not hold all hosts.
   */
  readonly scheduler: string | undefined;
  /** Peers may have changed the task meanwhile: only a commit shows whether a start is still wanted. */
  readonly shared: boolean;
  readonly reach: Reach;
}
