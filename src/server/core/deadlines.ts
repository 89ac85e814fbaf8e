import { isActive } from '../../shared/task-states.js';
import { DEFAULT_KILL_GRACE_MS, KILL_SWEEP_MS } from '../../shared/protocol/limits.js';
import type { HostEntry, TaskRules, TaskState } from './task-state.js';

/**
 * For the result to travel. An agent whose KillGrace is longer than the default is not judged too early: while its
 * session holds the run, the server waits.
 */
const SLACK_MS = 5_000;
/** Beats that an agent that asks for its work has at least to start a run. */
const START_BEATS = 3;
/** How often the server checks again whether a session still holds an overdue run. */
export const HELD_AGAIN_MS = 5_000;
/** A task older than this ends, whatever its hosts do. */
export const TASK_AGE_LIMIT_MS = 14 * 86_400_000;

/**
 * When the server gives an active host up that stays silent, ms. A run that reached no session may start until then;
 * one that did is the agent's to end, so its time, and what ending it takes, must have passed as well.
 */
export function deadlineMs(entry: HostEntry, rules: TaskRules, beatMs = 0): number {
  return Math.max(rules.judgeFromMs, silenceEndsMs(entry, rules, beatMs));
}

/** Hosts that a wake would settle now, unless a session holds their runs. */
export function overdueHosts({ hosts, rules }: TaskState, nowMs: number): readonly string[] {
  return hosts.filter((entry) => isActive(entry.status) && nowMs >= deadlineMs(entry, rules)).map(({ host }) => host);
}

function silenceEndsMs(entry: HostEntry, rules: TaskRules, beatMs: number): number {
  if (entry.killedAtMs !== null) {
    const settledMs = entry.killedAtMs + DEFAULT_KILL_GRACE_MS + KILL_SWEEP_MS + SLACK_MS;
    return entry.dispatched ? Math.max(settledMs, runEndMs(entry, rules)) : settledMs;
  }
  return entry.dispatched ? runEndMs(entry, rules) : startDeadlineMs(entry, rules, beatMs);
}

/**
 * The last moment at which a run may start. `beatMs`: of an agent that asks for its work; it gets to know of it with one
 * beat, may need a second one for a new connection, and says with the next that it has begun.
 */
export function startDeadlineMs(entry: HostEntry, rules: TaskRules, beatMs = 0): number {
  return entry.assignedAtMs + Math.max(rules.startWithinMs, START_BEATS * beatMs);
}

/** Until when an agent may take a start that none has yet; null for any other host, and where no time is known. */
export function startBeforeMs(entry: HostEntry, rules: TaskRules): number | null {
  const untilMs = startDeadlineMs(entry, rules);
  return entry.status === 'running' && !entry.dispatched && Number.isFinite(untilMs) ? untilMs : null;
}

function runEndMs(entry: HostEntry, rules: TaskRules): number {
  return (entry.startedAtMs ?? entry.assignedAtMs) + rules.timeoutMs + DEFAULT_KILL_GRACE_MS + SLACK_MS;
}
