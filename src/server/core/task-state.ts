import type { TaskMeta } from './records.js';
import { HostStatus, isActive, STATUS_RULES, statusesWhere, type TaskAction } from '../../shared/task-states.js';

// Every status has an entry; the type of fromEntries says less.
const NO_HOSTS = Object.freeze(
  Object.fromEntries(Object.values(HostStatus).map((status) => [status, 0])) as Record<HostStatus, number>,
);

/** What scheduling needs to know of a task besides its hosts; fixed at creation. */
export interface TaskRules {
  readonly taskId: number;
  /** hosts running at once; 0 = all */
  readonly batch: number;
  /** so many hosts may fail before the task pauses */
  readonly tolerance: number;
  readonly timeoutMs: number;
  /** how long after its assignment a run may still start; never more than `timeoutMs` */
  readonly startWithinMs: number;
  /** hosts after whose start the task pauses */
  readonly pauseAfter: ReadonlySet<string>;
  readonly createdMs: number;
  /** before this moment no host is settled for its silence: after a server's start its agents are still coming back */
  readonly judgeFromMs: number;
}

/** The rules in a task's description. `startWithinMs` can only shorten the time that a start has. */
export function rulesOf(meta: TaskMeta, startWithinMs: number, judgeFromMs: number): TaskRules {
  const timeoutMs = meta.timeout * 1_000;
  return {
    taskId: meta.id,
    batch: meta.batch,
    tolerance: meta.tolerance,
    timeoutMs,
    startWithinMs: Math.min(timeoutMs, startWithinMs),
    pauseAfter: new Set(meta.pause.split(',').map((host) => host.trim())),
    createdMs: meta.created.getTime(),
    judgeFromMs,
  };
}

/** One host of a task. Clocks are unix seconds; `…AtMs` are readings of the server's clock. */
export interface HostEntry {
  readonly host: string;
  readonly status: HostStatus;
  /** of its newest start; 0 before the first */
  readonly startClock: number;
  /** the highest clock it was ever given, be it for a start or a kill */
  readonly lastClock: number;
  /** of a task_host_doing row that another program has left behind; null where there is none */
  readonly strayClock: number | null;
  readonly assignedAtMs: number;
  /** a session was sent the assignment or has listed the run, as far as this server knows */
  readonly dispatched: boolean;
  /** what the agent's own clock said when the script began; null until reported */
  readonly startedMs: number | null;
  /** the latest moment at which the script can have begun; null until it is known to have begun */
  readonly startedAtMs: number | null;
  readonly killedAtMs: number | null;
  /** the agent's true result of `startClock` is stored */
  readonly reported: boolean;
}

/** A task and its hosts, as stored by the last commit. Never changed: each step makes a new one. */
export interface TaskState {
  readonly rules: TaskRules;
  readonly action: TaskAction;
  /** unix seconds; grows with every change of the action, and with changes by servers that don't schedule the task */
  readonly actionClock: number;
  /** in the order given at creation */
  readonly hosts: readonly HostEntry[];
  /** position of each host by its name */
  readonly index: ReadonlyMap<string, number>;
  readonly counts: HostCounts;
  /** no host before this position waits */
  readonly firstWaiting: number;
  readonly ended: boolean;
  /** a `wake` event is wanted at this time, ms; it may prove to be too early, never too late */
  readonly wakeAtMs: number;
}

type HostCounts = Readonly<Record<HostStatus, number>>;

const ACTIVE = Object.values(HostStatus).filter(isActive);
const FAILURES = statusesWhere(({ failure }) => failure);

/** Hosts whose script may be running, or about to. */
export function activeHosts(counts: HostCounts): number {
  return total(counts, ACTIVE);
}

/** Hosts that count against the task's tolerance. */
export function failures(counts: HostCounts): number {
  return total(counts, FAILURES);
}

function total(counts: HostCounts, statuses: readonly HostStatus[]): number {
  return statuses.reduce((sum, status) => sum + counts[status], 0);
}

export function hostEntry(state: TaskState, host: string): HostEntry | undefined {
  const position = state.index.get(host);
  return position === undefined ? undefined : state.hosts[position];
}

export function newHostEntry(host: string): HostEntry {
  return {
    host,
    status: 'waiting',
    startClock: 0,
    lastClock: 0,
    strayClock: null,
    assignedAtMs: 0,
    dispatched: false,
    startedMs: null,
    startedAtMs: null,
    killedAtMs: null,
    reported: false,
  };
}

/** The state that a list of hosts makes; `wakeAtMs` is now, so that the first wake finds out the true time. */
export function stateOf(
  rules: TaskRules,
  { action, actionClock }: Pick<TaskState, 'action' | 'actionClock'>,
  hosts: readonly HostEntry[],
  nowMs: number,
): TaskState {
  const counts = { ...NO_HOSTS };
  for (const entry of hosts) counts[entry.status] += 1;
  const firstWaiting = hosts.findIndex(({ status }) => STATUS_RULES[status].phase === 'waiting');
  return {
    rules,
    action,
    actionClock,
    hosts,
    index: new Map(hosts.map((entry, position) => [entry.host, position])),
    counts,
    firstWaiting: firstWaiting === -1 ? hosts.length : firstWaiting,
    ended: false,
    wakeAtMs: nowMs,
  };
}
