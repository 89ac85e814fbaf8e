import type { OpenRun } from '../tasks/agent-gateway.js';
import type { Beat } from './beat.js';
import type { ReportedTask } from './rpc-codec.js';
import { outputBytes, type TrackedTask } from './tracked-task.js';
import { attemptOf, isKillClock, MAX_ATTEMPT } from './wire-clock.js';

/** A run that began so shortly before this server's start may have its script from a server that died while it gave it. */
const NEAR_START_MS = 15_000;
/** A doubtful task that says nothing for so long is looked into, ms. By then most scripts have printed something, or ended. */
const SILENT_MS = 10_000;

/**
 * The proof of a process that a report gives by naming a task as running, which agents do whether or not they got its
 * script. It has a process if it has printed something, or if the agent went on with the connection on which it was
 * listed or its script was given. The first report of a connection was written before whatever broke the last one.
 */
export function processProof(
  task: TrackedTask,
  named: ReportedTask,
  beat: Beat,
  expected: OpenRun | undefined,
  serverStartMs: number,
): Pick<TrackedTask, 'hasProcess' | 'doubtful' | 'silentSinceMs'> {
  const goesOn = task.origin === beat.connection;
  const answersRelisting = task.relistedOn === beat.connection && named.clock === task.wireClock;
  const shown = outputBytes(named) > 0 || isKillClock(named.clock) || (!beat.first && (goesOn || answersRelisting));
  if (task.hasProcess || shown) return { hasProcess: true, doubtful: false, silentSinceMs: task.silentSinceMs };
  const neverGiven = expected?.startedMs === null;
  const doubtful =
    task.stage === 'named' || !expected
      ? task.doubtful
      : task.origin !== undefined || neverGiven || beganNearStart(expected, serverStartMs);
  return { hasProcess: false, doubtful, silentSinceMs: task.silentSinceMs ?? beat.nowMs };
}

export function beganNearStart({ startedMs }: OpenRun, serverStartMs: number): boolean {
  return startedMs !== null && startedMs >= serverStartMs - NEAR_START_MS && startedMs < serverStartMs;
}

/**
 * True if the start should be listed under another clock. An agent without the script asks for it then; one with a
 * process only changes the clock. A script that ended in the milliseconds since the report would end a Categraf and be
 * run again by an agentd, so this is for tasks in doubt alone, and with an agentd for those that must be killed.
 */
export function needsRelisting(task: TrackedTask, named: ReportedTask | undefined, beat: Beat): boolean {
  if (task.hasProcess || beat.first || attemptOf(task.wireClock) >= MAX_ATTEMPT) return false;
  if (!named) return task.doubtful && task.killWanted && task.relistedOn !== beat.connection && isAccepted(task, beat);
  const silentMs = beat.nowMs - (task.silentSinceMs ?? beat.nowMs);
  return named.status === 'running' && (task.killWanted || (task.doubtful && silentMs >= SILENT_MS));
}

/** This report, the second at least since the task was listed on this connection, has not told its end. */
function isAccepted({ stage, connection, endReported }: TrackedTask, beat: Beat): boolean {
  return stage === 'accepted' && connection === beat.connection && !endReported;
}
