import type { RunId } from '../../shared/run-key.js';
import type { OpenRun } from '../tasks/agent-gateway.js';
import type { AgentDraft } from './agent-state.js';
import { mayOutlive } from './legacy-result.js';
import type { AssignedTask, ReportedTask } from './rpc-codec.js';
import { isFinalStatus, outputBytes, type Dying, type TrackedTask } from './tracked-task.js';
import { startClockOf } from './wire-clock.js';

/** After the kill of `su`: so many reports without new output, or so long, are taken for the end of its script too. */
const STEADY_REPORTS = 3;
const DYING_MS = 15_000;

/** The tasks of a report by id: those that live, and those that have ended. */
export interface SortedReport {
  readonly alive: ReadonlyMap<number, ReportedTask>;
  readonly ended: ReadonlyMap<number, ReportedTask>;
}

/** A report, and when and where it came. */
export interface Beat extends SortedReport {
  /** of those that ended, the tasks whose end could not be stored yet */
  readonly unstored: ReadonlySet<number>;
  /** unix ms */
  readonly nowMs: number;
  readonly connection: number;
  /** the connection's first, which may be old news */
  readonly first: boolean;
}

/** Moments before which this process has not seen all. Both unix ms. */
export interface SinceWhen {
  /** runs begun before may have begun without this process having seen it */
  readonly serverStartMs: number;
  /** runs assigned before may be with an agent of another kind */
  readonly pushedUntilMs: number;
}

/** The consequences of a report. */
export interface ReportOutcome {
  /** the answer: the complete list of tasks that the agent should know, one entry an id */
  readonly list: AssignedTask[];
  /** runs that have begun and were not known to have */
  readonly begun: RunId[];
  /** runs that have begun and that the agent does not know any more; told again until they are no longer open */
  readonly lost: RunId[];
  /** runs that never had a process and are to be killed, or may not start any more */
  readonly neverStarted: OpenRun[];
  /** listed for the first time, of a script that the agent may have already: it starts without asking for anything */
  readonly ungated: OpenRun[];
}

/** A report in hand: what it is judged by, and what comes of it so far. */
export interface Reduction extends ReportOutcome {
  readonly draft: AgentDraft;
  readonly beat: Beat;
  readonly open: ReadonlyMap<number, OpenRun>;
  readonly since: SinceWhen;
}

const NO_TASKS: ReadonlyMap<number, ReportedTask> = new Map();
const EMPTY_REPORT: SortedReport = Object.freeze({ alive: NO_TASKS, ended: NO_TASKS });

export function sortReport(
  reported: readonly ReportedTask[],
  open: ReadonlyMap<number, OpenRun>,
  tracked: ReadonlyMap<number, TrackedTask>,
  nowMs: number,
): SortedReport {
  if (reported.length === 0) return EMPTY_REPORT;
  const alive = new Map<number, ReportedTask>();
  const ended = new Map<number, ReportedTask>();
  for (const task of reported) {
    const dying = dyingNow(task, open.get(task.taskId), tracked.get(task.taskId), nowMs);
    const lives = !isFinalStatus(task.status) || (dying && goesOnDying(dying, nowMs));
    (lives ? alive : ended).set(task.taskId, task);
  }
  return { alive, ended };
}

/** How the task looks with this report, if that tells its end by a kill which its script may outlive. */
export function dyingNow(
  reported: ReportedTask,
  run: OpenRun | undefined,
  tracked: TrackedTask | undefined,
  nowMs: number,
): Dying | undefined {
  const isThisRun = tracked?.clock === run?.clock && tracked?.clock === startClockOf(reported.clock);
  if (!tracked || !isThisRun || !mayOutlive(reported, run)) return undefined;
  const { dying } = tracked;
  const bytes = outputBytes(reported);
  return {
    sinceMs: dying?.sinceMs ?? nowMs,
    outputBytes: bytes,
    steadyReports: dying?.outputBytes === bytes ? dying.steadyReports + 1 : 0,
  };
}

function goesOnDying({ steadyReports, sinceMs }: Dying, nowMs: number): boolean {
  return steadyReports < STEADY_REPORTS && nowMs - sinceMs < DYING_MS;
}

/** The entry of this report that names this run. */
export function namedAs({ taskId, clock }: TrackedTask, { alive }: Beat): ReportedTask | undefined {
  const named = alive.get(taskId);
  return named && startClockOf(named.clock) === clock ? named : undefined;
}
