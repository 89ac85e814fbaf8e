import { STATUS_RULES } from '../../shared/task-states.js';
import type { OpenTask } from './records.js';
import { hostEntry, rulesOf, stateOf, type HostEntry, type TaskRules, type TaskState } from './task-state.js';

export type ResumeLimits = Pick<TaskRules, 'startWithinMs' | 'judgeFromMs'>;

/**
 * The state of a task as read from the store. Facts that only memory holds (when a run was dispatched, by this server's
 * clock) are taken from `known`, the state that this server had of it before; without it they get their safest value.
 */
export function resumeTask(open: OpenTask, limits: ResumeLimits, nowMs: number, known?: TaskState): TaskState {
  const rules = rulesOf(open.meta, limits.startWithinMs, limits.judgeFromMs);
  const hosts = open.hosts.map((row) => {
    const entry = fromRow(row, rules, nowMs);
    const before = known && hostEntry(known, row.host);
    if (!before) return entry;
    if (before.startClock === entry.startClock) return withMemory(entry, before);
    return isItsKill(entry, before) ? withMemory({ ...entry, startClock: before.startClock }, before) : entry;
  });
  return stateOf(rules, open, hosts, nowMs);
}

/** The state with what was read again of some of its hosts, and of the task itself. */
export function withFreshHosts(state: TaskState, fresh: TaskState, nowMs: number): TaskState {
  const hosts = state.hosts.map((entry) => hostEntry(fresh, entry.host) ?? entry);
  const added = fresh.hosts.filter(({ host }) => !state.index.has(host));
  return stateOf(fresh.rules, fresh, [...hosts, ...added], nowMs);
}

/** Another program has put a kill over a start, which no table shows any more. */
function isItsKill(entry: HostEntry, before: HostEntry): boolean {
  return isKilling(entry) && before.startClock > entry.startClock && before.startClock <= entry.lastClock;
}

function isKilling({ status }: Pick<HostEntry, 'status'>): boolean {
  return STATUS_RULES[status].phase === 'killing';
}

function fromRow(row: OpenTask['hosts'][number], rules: TaskRules, nowMs: number): HostEntry {
  // A clock is in whole seconds, cut off; the assignment came at most one second after it.
  const assignedAtMs = (row.startClock + 1) * 1_000;
  const begun = row.startedMs !== null;
  const killing = isKilling(row);
  return {
    host: row.host,
    status: row.status,
    startClock: row.startClock,
    lastClock: Math.max(row.startClock, row.activeRun?.clock ?? 0),
    strayClock: row.strayClock ?? null,
    assignedAtMs,
    dispatched: begun || row.dispatched || killing,
    startedMs: row.startedMs,
    startedAtMs: begun ? Math.min(nowMs, assignedAtMs + rules.startWithinMs) : null,
    killedAtMs: killing ? Math.min(nowMs, ((row.activeRun?.clock ?? 0) + 1) * 1_000) : null,
    reported: row.reported,
  };
}

function withMemory(entry: HostEntry, before: HostEntry): HostEntry {
  return {
    ...entry,
    lastClock: Math.max(entry.lastClock, before.lastClock),
    assignedAtMs: before.assignedAtMs,
    dispatched: entry.dispatched || before.dispatched,
    startedMs: entry.startedMs ?? before.startedMs,
    startedAtMs: before.startedAtMs ?? entry.startedAtMs,
    killedAtMs: entry.killedAtMs === null ? null : (before.killedAtMs ?? entry.killedAtMs),
  };
}
