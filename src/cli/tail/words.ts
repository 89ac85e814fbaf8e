import { constants } from 'node:os';
import { isRunReason, type HostStatus, type RunReason } from '../../shared/task-states.js';
import type { FailedHost, ShownAction, ShownGap, ShownStatus, Summary } from './viewer.js';

/** What the viewers tell a person, in sentences. */

const REASONS: Readonly<Record<RunReason, string>> = {
  'not-started': 'never started: its agent was away or busy for too long',
  account: 'its agent does not run scripts as this user',
  spawn: 'the script could not be started',
  lost: 'its agent lost all trace of the run',
  'exit-unknown': 'the script is gone and nobody saw its exit code',
  policy: 'the limits of its agent were exceeded',
  shutdown: 'its agent was told to end its scripts',
  silent: 'its agent was silent until long after the timeout',
};

/** A status with what explains it: `failed, exit 3`, `timeout, its time was up and it was ended (exit 143, SIGTERM)`. */
export function statusText({ status, exitCode, reason }: Pick<ShownStatus, 'status' | 'exitCode' | 'reason'>): string {
  const exit = exitCode === null ? undefined : `exit ${exitCode}${signalText(exitCode)}`;
  if (reason !== null) return [status, isRunReason(reason) ? REASONS[reason] : reason, exit].filter(Boolean).join(', ');
  const ended: Partial<Record<HostStatus, string>> = {
    timeout: 'its time was up and it was ended',
    killfailed: 'it was asked to end and may still run',
  };
  const why = ended[status];
  if (why === undefined) return exit === undefined ? status : `${status}, ${exit}`;
  return `${status}, ${why}${exit === undefined ? '' : ` (${exit})`}`;
}

/** `14:05`, with the date where that is another day. */
export function clockTime(ms: number, nowMs: number): string {
  const [then, now] = [new Date(ms), new Date(nowMs)];
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`;
  if (then.toDateString() === now.toDateString()) return time;
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}

/** `waiting` and the like where an agent has the host; else until when one may come. */
export function progressText(status: ShownStatus, nowMs: number): string {
  const { startBeforeMs } = status;
  if (startBeforeMs === null) return statusText(status);
  return `not started, its agent is away; waits until ${clockTime(startBeforeMs, nowMs)}`;
}

export function gapText(host: string, taskId: number | undefined, { stream, from, to, kept }: ShownGap): string {
  const missing = `${to - from} bytes of ${stream} are missing here (from byte ${from})`;
  if (!kept) return `${host}: ${missing}`;
  return `${host}: ${missing}: they lie on ${host}, whose agent is away; ibex tail ${taskId} shows them once it is back`;
}

/** One line for each thing to know: that the task is paused, why, and the calls that go on. */
export function actionLines(
  taskId: number,
  action: ShownAction,
  call: (action: string, host?: string) => string,
): string[] {
  switch (action.action) {
    case 'start':
      return [`task ${taskId} goes on`];
    case 'cancel':
      return [`task ${taskId} was cancelled: hosts that wait are not started`];
    case 'kill':
      return [`task ${taskId} was killed: hosts that wait are not started, scripts that run are ended`];
    case 'pause':
      return [`task ${taskId} is paused: ${pauseCause(action)}`, ...pauseRemedy(action, call)];
    default:
      return action.action satisfies never;
  }
}

/** How the hosts ended; those that failed by name. Nothing of a single host, whose status has said it all. */
export function summaryLines(taskId: number, { counts, failed }: Summary): string[] {
  const hosts = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (hosts < 2) return [];
  const parts = Object.entries(counts).map(([status, count]) => `${count} ${status}`);
  const shown = failed.slice(0, MAX_FAILED).map((host) => `  ${failedText(host)}`);
  const more = failed.length - shown.length;
  return [
    `task ${taskId}, ${hosts} hosts: ${parts.join(', ')}`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more that failed`] : []),
  ];
}

/** Named at most in a summary. */
const MAX_FAILED = 100;

function failedText({ host, lastLine, ...status }: FailedHost): string {
  return `${host}: ${statusText(status)}${lastLine === '' ? '' : `: ${lastLine}`}`;
}

function pauseCause({ cause, failed, tolerance, pausedAfter }: ShownAction): string {
  switch (cause) {
    case 'tolerance':
      return `${failed} ${failed === 1 ? 'host has' : 'hosts have'} failed, and its tolerance is ${tolerance}`;
    case 'pause-list':
      return `${pausedAfter ?? 'the last host'} was started, after which it was to pause`;
    case 'operator':
    case null:
      return 'it goes on when somebody starts it';
    default:
      return cause satisfies never;
  }
}

function pauseRemedy({ cause }: ShownAction, call: (action: string, host?: string) => string): string[] {
  const start = `to go on:                ${call('start')}`;
  const cancel = `to give up the others:   ${call('cancel')}`;
  if (cause !== 'tolerance') return [start, cancel];
  // As long as too many have failed a start changes nothing.
  return [`to count a host no more: ${call('ignore', 'HOST')}`, `  (or redo it), and then${start.slice(21)}`, cancel];
}

function signalText(exitCode: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0];
  return signal === undefined ? '' : `, ${signal}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
