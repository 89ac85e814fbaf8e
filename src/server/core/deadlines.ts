import { isActive } from '../../shared/task-states.js';
import { DEFAULT_KILL_GRACE_MS, KILL_SWEEP_MS } from '../../shared/protocol/limits.js';
import type { HostEntry, TaskRules, TaskState } from './task-state.js';

/**
 * For the result to travel. An agent whose KillGrace is longer than the default is not judged too early: while its
 * session holds the run, the server waits.
 */
const SLACK_MS = 5_000;
/** How often the server checks again whether a session still holds an overdue run. */
export const HELD_AGAIN_MS = 5_000;
/** A task older than this ends, whatever its hosts do. */
export const TASK_AGE_LIMIT_MS = 14 * 86_400_000;

/**
 * When the server gives an active host up that stays silent, ms. A run that reached no session may start until then;
 * one that did is the agent's to end, so its time, and what ending it takes, must have passed as well.
 */
export function deadlineMs(entry: HostEntry, rules: TaskRules): number {
  return Math.max(rules.judgeFromMs, silenceEndsMs(entry, rules));
}

/** Hosts that a wake would settle now, unless a session holds their runs. */
export function overdueHosts({ hosts, rules }: TaskState, nowMs: number): readonly string[] {
  return hosts.filter((entry) => isActive(entry.status) && nowMs >= deadlineMs(entry, rules)).map(({ host }) => host);
}

function silenceEndsMs(entry: HostEntry, rules: TaskRules): number {
  if (entry.killedAtMs !== null) {
    const settledMs = entry.killedAtMs + DEFAULT_KILL_GRACE_MS + KILL_SWEEP_MS + SLACK_MS;
    return entry.dispatched ? Math.max(settledMs, runEndMs(entry, rules)) : settledMs;
  }
  return entry.dispatched ? runEndMs(entry, rules) : startDeadlineMs(entry, rules);
}

export function startDeadlineMs(entry: HostEntry, rules: TaskRules): number {
  return entry.assignedAtMs + rules.startWithinMs;
}

function runEndMs(entry: HostEntry, rules: TaskRules): number {
  return (entry.startedAtMs ?? entry.assignedAtMs) + rules.timeoutMs + DEFAULT_KILL_GRACE_MS + SLACK_MS;
}
