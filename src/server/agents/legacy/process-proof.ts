import type { OpenRun } from '../gateway.js';
import { outputBytes, type HeldTask } from './held-task.js';
import type { Beat } from './host-ledger.js';
import type { ReportedTask } from './rpc-codec.js';
import { attemptOf, isKillClock, MAX_ATTEMPT } from './wire-clock.js';

/** What began so shortly before this server's start may have been given its script by a server that died doing so. */
const NEAR_START_MS = 15_000;
/** So many reports without output, and a doubtful task is looked into. */
const SILENT_REPORTS = 3;

/**
 * Notes what a report that names a running task tells of its process. Agents name a task as running whether or not they
 * got its script. It has a process if it has printed something, or if the agent went on with the connection on which it
 * was offered or its script was given. The first report of a connection was written before whatever broke the last one.
 */
export function noteProcess(
  held: HeldTask,
  task: ReportedTask,
  beat: Beat,
  expected: OpenRun | undefined,
  serverStartMs: number,
): void {
  const goesOn = held.origin === beat.connection;
  const answeredProbe = held.probedOn === beat.connection && task.clock === held.wireClock;
  held.process ||= outputBytes(task) > 0 || isKillClock(task.clock) || (!beat.first && (goesOn || answeredProbe));
  if (held.process) {
    held.doubtful = false;
    return;
  }
  if (held.stage !== 'seen' && expected) {
    const neverGiven = expected.startedMs === null;
    held.doubtful = held.origin !== undefined || neverGiven || beganNearStart(expected, serverStartMs);
  }
  if (!beat.first) held.silentReports++;
}

export function beganNearStart({ startedMs }: OpenRun, serverStartMs: number): boolean {
  return startedMs !== null && startedMs >= serverStartMs - NEAR_START_MS && startedMs < serverStartMs;
}

/**
 * True if the start should be listed under another clock. An agent without the script asks for it then; one with a
 * process only changes the clock. A script that ended in the milliseconds since the report would end a Categraf, so
 * this is for tasks in doubt alone.
 */
export function wantsProbe(held: HeldTask, named: ReportedTask, beat: Beat): boolean {
  if (held.process || beat.first || named.status !== 'running' || attemptOf(held.wireClock) >= MAX_ATTEMPT)
    return false;
  return held.killWanted || (held.doubtful && held.silentReports >= SILENT_REPORTS);
}
