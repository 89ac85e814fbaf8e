import type { ReportedTask } from './rpc-codec.js';

/** How a legacy agent behaves, which is all that there is to tell them apart by. */
export const LegacyKind = Object.freeze({
  /** nothing seen yet that tells */
  unknown: 'legacy',
  /** names its running scripts in every report */
  categraf: 'categraf',
  /** tells of a script only when it has ended */
  agentd: 'agentd',
} as const);
export type LegacyKind = (typeof LegacyKind)[keyof typeof LegacyKind];

export function legacyKind(text: string | undefined): LegacyKind {
  return Object.values(LegacyKind).find((kind) => kind === text) ?? LegacyKind.unknown;
}

/**
 * offered: it stood in an answer. taken: the agent has it, but has not named it. seen: the agent has named it.
 * lost: the agent has begun it and does not know it any more.
 */
export type Stage = 'offered' | 'taken' | 'seen' | 'lost';

/** What is known of one task on one legacy agent. An agent has at most one run of each id. */
export interface TrackedTask {
  readonly taskId: number;
  /** of the start */
  readonly clock: number;
  /** under which the agent has the start, as it was last listed or named */
  wireClock: number;
  stage: Stage;
  /** connection on which it was last offered, taken or named */
  connection: object;
  /** the agent may have had its script already when it was offered, so that nothing tells whether it was started */
  cached: boolean;
  /** connection on which it was offered, or its script given: an agent that goes on with it has got that far */
  origin: object | undefined;
  /** the script was asked for and given */
  scriptGiven: boolean;
  /** its process has existed for certain; a kill of a task without one ends the whole agent */
  process: boolean;
  /** it may be without a script: the connection that gave it broke before anything proved that it had arrived */
  doubtful: boolean;
  /** since when it has been named without any output or other proof of a process; unix ms */
  silentSinceMs: number | undefined;
  /** connection on which its start was listed once more, to see whether the agent asks for its script again */
  probedOn: object | undefined;
  /** its end was told and could not be stored: whoever has it listed will tell it again, and never run it */
  endTold: boolean;
  /** unix ms; undefined while it is not known to have begun */
  begunMs: number | undefined;
  timeoutMs: number;
  /** scheduling was asked what became of it, as it is no longer under way there */
  lookedUp: boolean;
  /** it should end: by an operator's wish, or because its time is over */
  killWanted: boolean;
  /** unix ms at which the kill first stood in an answer */
  killListedMs: number | undefined;
  /** answers with the kill since the agent last named the task */
  killAnswers: number;
  /** how the task looked when its end by the kill was first reported, and how often nothing has changed since */
  dying: { readonly sinceMs: number; bytes: number; steady: number } | undefined;
}

export function trackedTask(taskId: number, clock: number, stage: Stage, connection: object): TrackedTask {
  return {
    taskId,
    clock,
    wireClock: clock,
    stage,
    connection,
    cached: false,
    origin: undefined,
    scriptGiven: false,
    process: false,
    doubtful: false,
    silentSinceMs: undefined,
    probedOn: undefined,
    endTold: false,
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
export function isAlive({ stage }: TrackedTask): boolean {
  return stage === 'taken' || stage === 'seen';
}

export function outputBytes({ stdout, stderr }: ReportedTask): number {
  return stdout.length + stderr.length;
}

export function isFinalStatus(status: string): status is 'success' | 'failed' | 'killed' | 'killfailed' {
  return status === 'success' || status === 'failed' || status === 'killed' || status === 'killfailed';
}
