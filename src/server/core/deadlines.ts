import { isActive, type HostEntry, type TaskRules, type TaskState } from './task-state.js';

/** Between TERM and KILL, on the agent. */
export const KILL_GRACE_MS = 5_000;
/** How long an agent goes on sweeping up processes that will not die. */
const SWEEP_MS = 10_000;
/** For the result to travel. */
const SLACK_MS = 5_000;
/** While a session still holds an overdue run, it is looked at again so often. */
export const HELD_AGAIN_MS = 5_000;
/** A task older than this ends, whatever its hosts do. */
export const TASK_AGE_LIMIT_MS = 14 * 86_400_000;

/**
 * When the server stops waiting for news of an active host, ms. A run that reached no session may start until then;
 * one that did is the agent's to end, so its time, and what ending it takes, must have passed as well.
 */
export function deadlineMs(entry: HostEntry, rules: TaskRules): number {
  return Math.max(rules.judgeFromMs, silenceEndsMs(entry, rules));
}

/** Hosts that a wake would settle now, unless a session holds their runs. */
export function overdueHosts({ hosts, rules }: TaskState, nowMs: number): readonly string[] {
  return hosts.filter((entry) => isActive(entry) && nowMs >= deadlineMs(entry, rules)).map(({ host }) => host);
}

function silenceEndsMs(entry: HostEntry, rules: TaskRules): number {
  if (entry.killedAtMs !== null) {
    const settledMs = entry.killedAtMs + KILL_GRACE_MS + SWEEP_MS + SLACK_MS;
    return entry.dispatched ? Math.max(settledMs, runEndMs(entry, rules)) : settledMs;
  }
  return entry.dispatched ? runEndMs(entry, rules) : startDeadlineMs(entry, rules);
}

export function startDeadlineMs(entry: HostEntry, rules: TaskRules): number {
  return entry.assignedAtMs + rules.startWithinMs;
}

function runEndMs(entry: HostEntry, rules: TaskRules): number {
  return (entry.startedAtMs ?? entry.assignedAtMs) + rules.timeoutMs + KILL_GRACE_MS + SLACK_MS;
}
