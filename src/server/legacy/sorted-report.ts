import type { OpenRun } from '../tasks/agent-gateway.js';
import { isFinalStatus, outputBytes, type TrackedTask } from './tracked-task.js';
import { mayOutlive } from './legacy-result.js';
import type { ReportedTask } from './rpc-codec.js';

/** How a script looks whose `su` was killed: after so many reports without new output, or so long, that is taken as its end. */
const STEADY_REPORTS = 3;
const DYING_MS = 15_000;

/** The tasks of a report by id: those that live, and those that have ended. */
export interface SortedReport {
  readonly alive: ReadonlyMap<number, ReportedTask>;
  readonly ended: ReadonlyMap<number, ReportedTask>;
}

export function sortReport(
  tasks: readonly ReportedTask[],
  open: ReadonlyMap<number, OpenRun>,
  held: ReadonlyMap<number, TrackedTask>,
  nowMs: number,
): SortedReport {
  const alive = new Map<number, ReportedTask>();
  const ended = new Map<number, ReportedTask>();
  for (const task of tasks) {
    const { taskId, status } = task;
    const lives = !isFinalStatus(status) || isStillDying(task, open.get(taskId), held.get(taskId), nowMs);
    (lives ? alive : ended).set(taskId, task);
  }
  return { alive, ended };
}

function isStillDying(
  task: ReportedTask,
  run: OpenRun | undefined,
  held: TrackedTask | undefined,
  nowMs: number,
): boolean {
  if (!held || run?.clock !== held.clock || !mayOutlive(task, run)) return false;
  const dying = (held.dying ??= { sinceMs: nowMs, bytes: -1, steady: -1 });
  dying.steady = dying.bytes === outputBytes(task) ? dying.steady + 1 : 0;
  dying.bytes = outputBytes(task);
  return dying.steady < STEADY_REPORTS && nowMs - dying.sinceMs < DYING_MS;
}
