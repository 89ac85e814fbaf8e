import { isActive, STATUS_RULES } from '../../shared/task-states.js';
import { hostEntry, type HostEntry, type TaskState } from '../core/task-state.js';
import type { RunId } from '../../shared/run-key.js';
import type { Snapshot } from '../core/records.js';

/** This server's memory of the open tasks. */
export interface Memory {
  /** the name under which it schedules */
  readonly scheduler: string | undefined;
  /** undefined: not in memory, or just being read */
  state(taskId: number): TaskState | undefined;
  owns(taskId: number): boolean;
  /** the host's agent has a session here */
  present(host: string): boolean;
  /** its agent is sent its work at once, and has said that it has this run */
  holds(host: string, run: RunId): boolean;
}

/** The hosts to be read again, by task (none: only the task itself), or all of it. */
export type StaleHosts = ReadonlyMap<number, readonly string[] | 'all'>;

type ActiveRun = Snapshot['activeRuns'][number];

/**
 * The hosts whose rows differ from this server's memory. Its own writes while the snapshot is made may show up here as
 * well; reading those again finds nothing new.
 */
export function diffSnapshot(snapshot: Snapshot, memory: Memory, taskIds: readonly number[]): StaleHosts {
  const runsOf = Map.groupBy(snapshot.activeRuns, ({ taskId }) => taskId);
  const stale = new Map<number, readonly string[] | 'all'>();
  const note = (taskId: number, hosts: readonly string[] | 'all'): void => {
    if (hosts === 'all' || hosts.length > 0) stale.set(taskId, hosts);
  };
  const open = new Set<number>();
  for (const task of snapshot.tasks) {
    const { taskId } = task;
    open.add(taskId);
    const activeRuns = runsOf.get(taskId) ?? [];
    const state = memory.state(taskId);
    if (!state) {
      if (belongsToPeer(task, memory)) note(taskId, presentHosts(activeRuns, memory));
    } else if (memory.owns(taskId)) {
      const same = task.action === state.action && task.actionClock === state.actionClock;
      note(taskId, same && task.scheduler === memory.scheduler ? changedHosts(state, activeRuns) : 'all');
    } else if (memory.scheduler !== undefined && task.scheduler === memory.scheduler) note(taskId, 'all');
    else note(taskId, [...changedHosts(state, activeRuns), ...newHosts(state, activeRuns, memory)]);
  }
  // A task that is in memory and not open any more was ended by another program.
  for (const taskId of taskIds) if (!open.has(taskId) && memory.state(taskId)) note(taskId, 'all');
  return stale;
}

/**
 * Tasks of this server that it does not have are either being made, or about to be forgotten. One whose rows do not say
 * one scheduler will be its own, if it schedules any.
 */
function belongsToPeer({ scheduler }: Snapshot['tasks'][number], { scheduler: self }: Memory): boolean {
  return self === undefined || (scheduler !== undefined && scheduler !== self);
}

/** Only what both name: writes that were under way when the first snapshot was made are done by the second. */
export function confirmed(first: StaleHosts, second: StaleHosts): StaleHosts {
  const both = new Map<number, readonly string[] | 'all'>();
  for (const [taskId, hosts] of second) {
    const before = first.get(taskId);
    if (before === undefined) continue;
    if (before === 'all' || hosts === 'all') both.set(taskId, before === 'all' ? hosts : before);
    else {
      const known = new Set(before);
      const still = hosts.filter((host) => known.has(host));
      if (still.length > 0) both.set(taskId, still);
    }
  }
  return both;
}

/** Hosts whose runs are not as this server knows them. */
function changedHosts(state: TaskState, activeRuns: readonly ActiveRun[]): string[] {
  const byHost = new Map(activeRuns.map((run) => [run.host, run]));
  const gone = state.hosts.filter((entry) => isActive(entry.status) && !byHost.has(entry.host)).map(({ host }) => host);
  const other = activeRuns.filter((run) => {
    const entry = hostEntry(state, run.host);
    return entry !== undefined && !agrees(entry, run);
  });
  return [...gone, ...other.map(({ host }) => host)];
}

function newHosts(state: TaskState, activeRuns: readonly ActiveRun[], memory: Memory): string[] {
  return presentHosts(
    activeRuns.filter(({ host }) => !state.index.has(host)),
    memory,
  );
}

function presentHosts(activeRuns: readonly ActiveRun[], memory: Memory): string[] {
  return activeRuns.filter((run) => memory.present(run.host) && !isHeld(run, memory)).map(({ host }) => host);
}

/** True where there is nothing to send: the agent has this start, whichever server sent it. */
export function isHeld(run: ActiveRun, memory: Pick<Memory, 'holds'>): boolean {
  return run.action === 'start' && memory.holds(run.host, run);
}

function agrees(entry: HostEntry, run: ActiveRun): boolean {
  if (!isActive(entry.status)) return false;
  return entry.lastClock === run.clock && (STATUS_RULES[entry.status].phase === 'killing') === (run.action === 'kill');
}
