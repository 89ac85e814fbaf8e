/** The closed sets of words that tasks and hosts are described with, as stored in the tables and shown by the API. */

export const HostStatus = Object.freeze({
  waiting: 'waiting',
  running: 'running',
  killing: 'killing',
  success: 'success',
  failed: 'failed',
  timeout: 'timeout',
  killed: 'killed',
  killfailed: 'killfailed',
  cancelled: 'cancelled',
  ignored: 'ignored',
} as const);
export type HostStatus = (typeof HostStatus)[keyof typeof HostStatus];

interface StatusRules {
  /** `running` and `killing` are what a task_host_doing row stands for: its start, or its kill, is wanted */
  readonly phase: 'waiting' | 'running' | 'killing' | 'final';
  /** an agent may report it as the end of a run */
  readonly outcome: boolean;
  /** counts against the task's tolerance */
  readonly failure: boolean;
  /** an operator may ask for the kill of such a host */
  readonly killable: boolean;
  /** the kill was given up or assumed: should the agent still run the script, it is to be killed */
  readonly killWanted: boolean;
  /** the script did what it was asked to */
  readonly ok: boolean;
}

const FINAL = Object.freeze({
  phase: 'final',
  outcome: true,
  failure: false,
  killable: false,
  killWanted: false,
  ok: false,
} as const);

/** All that is decided by a host's status. A new status answers each question here. */
export const STATUS_RULES = Object.freeze({
  waiting: { ...FINAL, phase: 'waiting', outcome: false },
  running: { ...FINAL, phase: 'running', outcome: false, killable: true },
  killing: { ...FINAL, phase: 'killing', outcome: false },
  success: { ...FINAL, ok: true },
  failed: { ...FINAL, failure: true },
  timeout: { ...FINAL, failure: true, killable: true },
  killed: { ...FINAL, killWanted: true },
  killfailed: { ...FINAL, failure: true, killWanted: true },
  cancelled: { ...FINAL, outcome: false },
  ignored: { ...FINAL, outcome: false },
} as const satisfies Record<HostStatus, StatusRules>);

type StatusWith<R extends Partial<StatusRules>> = {
  [S in HostStatus]: (typeof STATUS_RULES)[S] extends R ? S : never;
}[HostStatus];

export type ActiveStatus = StatusWith<{ phase: 'running' | 'killing' }>;
export type FinalStatus = StatusWith<{ phase: 'final' }>;
/** What an agent may report as the end of a run. */
export type RunOutcome = StatusWith<{ outcome: true }>;

export const RunOutcome = Object.freeze({
  success: 'success',
  failed: 'failed',
  timeout: 'timeout',
  killed: 'killed',
  killfailed: 'killfailed',
} as const satisfies { readonly [O in RunOutcome]: O });

export const TaskAction = Object.freeze({ start: 'start', pause: 'pause', cancel: 'cancel', kill: 'kill' } as const);
export type TaskAction = (typeof TaskAction)[keyof typeof TaskAction];

/** Why a task is paused. */
export const PauseCause = Object.freeze({
  /** more hosts failed than the task's tolerance allows */
  tolerance: 'tolerance',
  /** a host of the task's pause list was started */
  pauseList: 'pause-list',
  /** somebody asked for it */
  operator: 'operator',
} as const);
export type PauseCause = (typeof PauseCause)[keyof typeof PauseCause];

export const HostAction = Object.freeze({ ignore: 'ignore', redo: 'redo', kill: 'kill' } as const);
export type HostAction = (typeof HostAction)[keyof typeof HostAction];

/** Its script may be running, or about to. */
export function isActive(status: HostStatus): status is ActiveStatus {
  const { phase } = STATUS_RULES[status];
  return phase === 'running' || phase === 'killing';
}

/** True once a host's status can no longer change by itself; only a redo leaves it. */
export function isFinal(status: HostStatus): status is FinalStatus {
  return STATUS_RULES[status].phase === 'final';
}

/** The statuses of which this is true. */
export function statusesWhere(holds: (rules: StatusRules) => boolean): readonly HostStatus[] {
  return Object.values(HostStatus).filter((status) => holds(STATUS_RULES[status]));
}

export function isHostStatus(value: unknown): value is HostStatus {
  return typeof value === 'string' && Object.hasOwn(HostStatus, value);
}

export function isTaskAction(value: unknown): value is TaskAction {
  return typeof value === 'string' && Object.hasOwn(TaskAction, value);
}

export function isHostAction(value: unknown): value is HostAction {
  return typeof value === 'string' && Object.hasOwn(HostAction, value);
}

/** Why a run ended as it did, where the status alone does not say it. Stored with the result and shown by the CLI. */
export const RunReason = Object.freeze({
  /** the agent was not reached, or all its slots were taken, before the last moment of start */
  notStarted: 'not-started',
  /** the agent refuses this account */
  account: 'account',
  /** the script could not be started */
  spawn: 'spawn',
  /** the agent lost every trace of a run it had claimed */
  lost: 'lost',
  /** the script is gone and nobody saw its exit code */
  exitUnknown: 'exit-unknown',
  /** the agent's run limits were exceeded */
  policy: 'policy',
  /** the executor was told to end */
  shutdown: 'shutdown',
  /** the agent said nothing until long after the timeout, so the server assumed it */
  silent: 'silent',
} as const);
export type RunReason = (typeof RunReason)[keyof typeof RunReason];

export function isRunReason(value: unknown): value is RunReason {
  return typeof value === 'string' && Object.values<string>(RunReason).includes(value);
}
