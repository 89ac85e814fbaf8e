import { isActive, STATUS_RULES } from '../../shared/task-states.js';
import { hostEntry, type HostEntry, type TaskState } from '../core/task-state.js';
import type { RunId } from '../../shared/run-key.js';
import type { Snapshot } from '../core/records.js';

/** What this server has in memory of the open tasks. */
export interface Memory {
  /** the name under which it schedules */
  readonly scheduler: string | undefined;
  /** undefined: not in memory, or just being read */
  state(taskId: number): TaskState | undefined;
  owns(taskId: number): boolean;
  /** the host's agent has a session here */
  present(host: string): boolean;
  /** its agent is sent its work, and has told that it has this run */
  holds(host: string, run: RunId): boolean;
}

/** What is to be read anew, by task: these hosts (none: only the task itself), or all of it. */
export type StaleHosts = ReadonlyMap<number, readonly string[] | 'all'>;

type Doing = Snapshot['activeRuns'][number];

/**
 * Where the rows and the memory of this server differ. What this server writes itself while the survey is read may show
 * up here as well; looking at it anew finds nothing then.
 */
export function diffSnapshot(survey: Snapshot, memory: Memory, taskIds: readonly number[]): StaleHosts {
  const doingsOf = Map.groupBy(survey.activeRuns, ({ taskId }) => taskId);
  const looks = new Map<number, readonly string[] | 'all'>();
  const look = (taskId: number, hosts: readonly string[] | 'all'): void => {
    if (hosts === 'all' || hosts.length > 0) looks.set(taskId, hosts);
  };
  const open = new Set<number>();
  for (const task of survey.tasks) {
    const { taskId } = task;
    open.add(taskId);
    const doings = doingsOf.get(taskId) ?? [];
    const state = memory.state(taskId);
    if (!state) {
      if (isForeign(task, memory)) look(taskId, presentHosts(doings, memory));
    } else if (memory.owns(taskId)) {
      const same = task.action === state.action && task.actionClock === state.actionClock;
      look(taskId, same && task.scheduler === memory.scheduler ? changedHosts(state, doings) : 'all');
    } else if (memory.scheduler !== undefined && task.scheduler === memory.scheduler) look(taskId, 'all');
    else look(taskId, [...changedHosts(state, doings), ...newHosts(state, doings, memory)]);
  }
  // A task that is in memory and not open any more was ended by somebody else.
  for (const taskId of taskIds) if (!open.has(taskId) && memory.state(taskId)) look(taskId, 'all');
  return looks;
}

/**
 * Tasks of this server that it does not have are either being made, or about to be forgotten. One whose rows do not say
 * one scheduler will be its own, if it schedules any.
 */
function isForeign({ scheduler }: Snapshot['tasks'][number], { scheduler: self }: Memory): boolean {
  return self === undefined || (scheduler !== undefined && scheduler !== self);
}

/** What both say: with a moment between them, what was only under way when the first was made is left out. */
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
function changedHosts(state: TaskState, doings: readonly Doing[]): string[] {
  const byHost = new Map(doings.map((doing) => [doing.host, doing]));
  const gone = state.hosts.filter((entry) => isActive(entry.status) && !byHost.has(entry.host)).map(({ host }) => host);
  const other = doings.filter((doing) => {
    const entry = hostEntry(state, doing.host);
    return entry !== undefined && !agrees(entry, doing);
  });
  return [...gone, ...other.map(({ host }) => host)];
}

function newHosts(state: TaskState, doings: readonly Doing[], memory: Memory): string[] {
  return presentHosts(
    doings.filter(({ host }) => !state.index.has(host)),
    memory,
  );
}

function presentHosts(doings: readonly Doing[], memory: Memory): string[] {
  return doings.filter((doing) => memory.present(doing.host) && !isHeld(doing, memory)).map(({ host }) => host);
}

/** True where there is nothing to tell the agent: it has this start, whoever has sent it. */
export function isHeld(doing: Doing, memory: Pick<Memory, 'holds'>): boolean {
  return doing.action === 'start' && memory.holds(doing.host, doing);
}

function agrees(entry: HostEntry, doing: Doing): boolean {
  if (!isActive(entry.status)) return false;
  return (
    entry.lastClock === doing.clock && (STATUS_RULES[entry.status].phase === 'killing') === (doing.action === 'kill')
  );
}
