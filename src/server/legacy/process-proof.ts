import type { OpenRun } from '../tasks/agent-gateway.js';
import { outputBytes, type TrackedTask } from './tracked-task.js';
import type { Beat } from './agent-state.js';
import type { ReportedTask } from './rpc-codec.js';
import { attemptOf, isKillClock, MAX_ATTEMPT } from './wire-clock.js';

/** What began so shortly before this server's start may have been given its script by a server that died doing so. */
const NEAR_START_MS = 15_000;
/** A doubtful task that says nothing for so long is looked into, ms. By then most scripts have printed something, or ended. */
const SILENT_MS = 10_000;

/**
 * Notes what a report that names a running task tells of its process. Agents name a task as running whether or not they
 * got its script. It has a process if it has printed something, or if the agent went on with the connection on which it
 * was offered or its script was given. The first report of a connection was written before whatever broke the last one.
 */
export function noteProcess(
  held: TrackedTask,
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
  held.silentSinceMs ??= beat.nowMs;
}

export function beganNearStart({ startedMs }: OpenRun, serverStartMs: number): boolean {
  return startedMs !== null && startedMs >= serverStartMs - NEAR_START_MS && startedMs < serverStartMs;
}

/**
 * True if the start should be listed under another clock. An agent without the script asks for it then; one with a
 * process only changes the clock. A script that ended in the milliseconds since the report would end a Categraf and be
 * run again by an agentd, so this is for tasks in doubt alone, and with an agentd for those that must be killed.
 */
export function wantsProbe(held: TrackedTask, named: ReportedTask | undefined, beat: Beat): boolean {
  if (held.process || beat.first || attemptOf(held.wireClock) >= MAX_ATTEMPT) return false;
  if (!named) return held.doubtful && held.killWanted && held.probedOn !== beat.connection && isTaken(held, beat);
  const silentMs = beat.nowMs - (held.silentSinceMs ?? beat.nowMs);
  return named.status === 'running' && (held.killWanted || (held.doubtful && silentMs >= SILENT_MS));
}

/** This report, the second at least since it was listed on this connection, has not told its end. */
function isTaken({ stage, connection, endTold }: TrackedTask, beat: Beat): boolean {
  return stage === 'taken' && connection === beat.connection && !endTold;
}
