import { isActive } from '../../shared/task-states.js';
import { startDeadlineMs } from '../core/deadlines.js';
import { hostEntry } from '../core/task-state.js';
import type { RunId } from '../../shared/run-key.js';
import type { OpenRun, SettledRun } from './agent-gateway.js';
import type { Store } from '../store/store.js';
import type { ClosedTasks } from './closed-tasks.js';
import type { OpenTasks } from './open-tasks.js';

/**
 * The active runs of a host, as last committed, in the order of their clocks. Undefined while any of them is unknown:
 * from a failed commit until the task has been read again, and from the agent's arrival until the host is reconciled.
 */
export function openRuns(open: OpenTasks, host: string, beatMs: number): readonly OpenRun[] | undefined {
  if (!open.complete(host)) return undefined;
  const runs: OpenRun[] = [];
  for (const { taskId, clock } of open.runs.of(host)) {
    const state = open.state(taskId);
    const meta = open.meta(taskId);
    const entry = state && hostEntry(state, host);
    if (!entry || !meta) return undefined;
    if (entry.startClock !== clock || !isActive(entry.status)) continue;
    runs.push({
      taskId,
      clock,
      status: entry.status,
      meta,
      timeoutMs: state.rules.timeoutMs,
      startUntilMs: startDeadlineMs(entry, state.rules, beatMs),
      assignedAtMs: entry.assignedAtMs,
      dispatched: entry.dispatched,
      startedAtMs: entry.startedAtMs,
      startedMs: entry.startedMs,
    });
  }
  return runs.length > 1 ? runs.sort((a, b) => a.clock - b.clock || a.taskId - b.taskId) : runs;
}

/** A run that is no longer active, for an agent that still has it. */
export async function settledRun(
  store: Pick<Store, 'meta'>,
  closed: Pick<ClosedTasks, 'killWanted'>,
  host: string,
  { taskId, clock }: RunId,
): Promise<SettledRun | undefined> {
  const [meta, killWanted] = await Promise.all([store.meta(taskId), closed.killWanted(taskId, host, clock)]);
  return meta && { timeoutMs: meta.timeout * 1_000, killWanted };
}
