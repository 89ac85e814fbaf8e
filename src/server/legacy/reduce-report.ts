import type { OpenRun } from '../tasks/agent-gateway.js';
import { AgentDraft, type AgentState } from './agent-state.js';
import type { Beat, Reduction, ReportOutcome, SinceWhen } from './beat.js';
import { noteEnded, noteNamed, noteTime, noteUnnamed } from './judge-report.js';
import { listOpenRun, listTracked } from './list-tasks.js';

/**
 * All that a report of a legacy agent may change. The ends that it reports are stored by then, as far as they can be.
 * `open`: the runs that
 * scheduling has under way on this host, in the order of their clocks.
 *
 * The agent forgets a task that the answer leaves out, unless its script still runs; so each is listed until its end is
 * stored.
 */
export function reduceReport(
  state: AgentState,
  beat: Beat,
  open: ReadonlyMap<number, OpenRun>,
  since: SinceWhen,
): ReportOutcome & { readonly state: AgentState } {
  const draft = new AgentDraft(state);
  const outcome: ReportOutcome = { list: [], begun: [], lost: [], neverStarted: [], ungated: [] };
  const reduction: Reduction = { draft, beat, open, since, ...outcome };
  // The agent has each task that it names, running or without a script.
  for (const named of beat.alive.values()) noteNamed(reduction, named);
  // A task whose end is stored is over; one whose end is not goes on, so that the agent reports it again.
  for (const ended of beat.ended.values()) noteEnded(reduction, ended);
  // A task that it does not name has not begun, goes on in silence, or is lost: where that is in doubt, it is queried.
  for (const { taskId } of draft.tasks.values()) noteUnnamed(reduction, taskId);
  // A task is to be killed if somebody wants that, or its time is over.
  for (const { taskId } of draft.tasks.values()) noteTime(reduction, taskId);
  // A task that may run stays listed, as a kill once that is wanted and it has a process.
  for (const { taskId } of draft.tasks.values()) listTracked(reduction, taskId);
  // A run that the agent does not have is listed; unless it has begun, and is lost, or its kill came before its start.
  for (const run of open.values()) listOpenRun(reduction, run);
  return { ...outcome, state: draft.state };
}
