import type { ReportedTask } from './rpc-codec.js';

/** The kinds of legacy agents, told apart by their behaviour alone. */
export const LegacyKind = Object.freeze({
  /** no report has shown it yet */
  unknown: 'legacy',
  /** names its running scripts in every report */
  categraf: 'categraf',
  /** names a script only when it has ended */
  agentd: 'agentd',
} as const);
export type LegacyKind = (typeof LegacyKind)[keyof typeof LegacyKind];

export function legacyKind(text: string | undefined): LegacyKind {
  return Object.values(LegacyKind).find((kind) => kind === text) ?? LegacyKind.unknown;
}

/**
 * listed: its start stood in an answer. accepted: the agent may have taken the start, and has not named it since. named:
 * the last report has named it. lost: the agent has begun it and does not know it any more.
 */
export type Stage = 'listed' | 'accepted' | 'named' | 'lost';

/** The server's knowledge of one task on one legacy agent. An agent has at most one run of each id. */
export interface TrackedTask {
  readonly taskId: number;
  /** of the start */
  readonly clock: number;
  /** under which the agent has the start, as it was last listed or named */
  readonly wireClock: number;
  readonly stage: Stage;
  /** connection on which it was last listed, accepted or named */
  readonly connection: number;
  /** the agent may have had its script already when it was listed, so that nothing tells whether it was started */
  readonly cached: boolean;
  /** connection on which it was listed, or its script given: an agent that goes on with it has got that far */
  readonly origin: number | undefined;
  /** the agent asked for the script and got it */
  readonly scriptGiven: boolean;
  /** its process has existed for certain; a kill of a task without one ends the whole agent */
  readonly hasProcess: boolean;
  /** it may be without a script: the connection that gave it broke before anything proved that it had arrived */
  readonly doubtful: boolean;
  /** since when it has been named without any output or other proof of a process; unix ms */
  readonly silentSinceMs: number | undefined;
  /** connection on which its start was listed under a further clock, to see whether the agent asks for its script */
  readonly relistedOn: number | undefined;
  /**
   * It is listed as a query: the agent may have it, or its result, or may have lost it. As a start it is not listed any
   * more under that clock: to an agent that has its result from the disk that would be a second start.
   */
  readonly queried: boolean;
  /** the agent reported its end, which could not be stored yet */
  readonly endReported: boolean;
  /** unix ms; undefined while it is not known to have begun */
  readonly begunMs: number | undefined;
  /** infinite where the task is none of this server, as far as it knows yet */
  readonly timeoutMs: number;
  /** scheduling was asked what became of it, as it is no longer under way there */
  readonly lookedUp: boolean;
  /** it should end: by an operator's wish, or because its time is over */
  readonly killWanted: boolean;
  /** unix ms at which the kill first stood in an answer */
  readonly killListedMs: number | undefined;
  /** answers with the kill since the agent last named the task */
  readonly killAnswers: number;
  /** set from the first report of its end by a kill that may not have ended it */
  readonly dying: Dying | undefined;
}

/** How a task goes on looking after its kill. */
export interface Dying {
  readonly sinceMs: number;
  readonly outputBytes: number;
  /** reports in a row that brought no further output */
  readonly steadyReports: number;
}

export function trackedTask(taskId: number, clock: number, stage: Stage, connection: number): TrackedTask {
  return {
    taskId,
    clock,
    wireClock: clock,
    stage,
    connection,
    cached: false,
    origin: undefined,
    scriptGiven: false,
    hasProcess: false,
    doubtful: false,
    silentSinceMs: undefined,
    relistedOn: undefined,
    queried: false,
    endReported: false,
    begunMs: undefined,
    timeoutMs: Number.POSITIVE_INFINITY,
    lookedUp: false,
    killWanted: false,
    killListedMs: undefined,
    killAnswers: 0,
    dying: undefined,
  };
}

/** True while the agent may have a process for it. */
export function mayRun({ stage }: TrackedTask): boolean {
  return stage === 'accepted' || stage === 'named';
}

export function outputBytes({ stdout, stderr }: ReportedTask): number {
  return stdout.length + stderr.length;
}

export type FinalStatus = 'success' | 'failed' | 'killed' | 'killfailed';

export function isFinalStatus(status: string): status is FinalStatus {
  return status === 'success' || status === 'failed' || status === 'killed' || status === 'killfailed';
}
