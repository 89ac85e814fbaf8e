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

/** What an agent may report as the end of a run. */
export const RunOutcome = Object.freeze({
  success: 'success',
  failed: 'failed',
  timeout: 'timeout',
  killed: 'killed',
  killfailed: 'killfailed',
} as const);
export type RunOutcome = (typeof RunOutcome)[keyof typeof RunOutcome];

export const TaskAction = Object.freeze({ start: 'start', pause: 'pause', cancel: 'cancel', kill: 'kill' } as const);
export type TaskAction = (typeof TaskAction)[keyof typeof TaskAction];

export const HostAction = Object.freeze({ ignore: 'ignore', redo: 'redo', kill: 'kill' } as const);
export type HostAction = (typeof HostAction)[keyof typeof HostAction];

/** True once a host's status can no longer change by itself; only a redo leaves it. */
export function isFinal(status: HostStatus): boolean {
  return status !== HostStatus.waiting && status !== HostStatus.running && status !== HostStatus.killing;
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
