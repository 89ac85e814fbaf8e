import type { RunId } from '../../shared/run-key.js';
import type { OpenRun } from '../tasks/agent-gateway.js';
import { AgentDraft, type AgentState } from './agent-state.js';
import type { Beat } from './beat.js';
import { noteNamed, noteTime, noteUnnamed } from './judge-report.js';
import { listOpenRun, listTracked } from './list-tasks.js';
import type { Reduction, SinceWhen } from './reduction.js';
import type { AssignedTask } from './rpc-codec.js';

export interface ReportOutcome {
  readonly state: AgentState;
  /** the answer: the complete list of tasks that the agent should know, one entry an id */
  readonly list: readonly AssignedTask[];
  /** runs that have begun and were not known to have */
  readonly begun: readonly RunId[];
  /** runs that have begun and that the agent does not know any more; told again until they are no longer open */
  readonly lost: readonly RunId[];
  /** runs to be killed that never had a process */
  readonly neverStarted: readonly OpenRun[];
  /** listed for the first time, of a script that the agent may have already: it starts without asking for anything */
  readonly ungated: readonly OpenRun[];
}

/**
 * All that a report of a legacy agent may change. The ends that it reports are stored by then. `open`: the runs that
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
): ReportOutcome {
  const draft = new AgentDraft(state);
  const reduction: Reduction = {
    draft,
    beat,
    open,
    since,
    list: [],
    begun: [],
    lost: [],
    neverStarted: [],
    ungated: [],
  };
  // The agent has each task that it names, running or without a script.
  for (const named of beat.alive.values()) noteNamed(reduction, named);
  // A task whose end is stored is over.
  for (const taskId of beat.ended.keys()) draft.forget(taskId);
  // A task that it does not name has not begun, goes on in silence, or is lost; which of them, the kind of agent tells.
  for (const { taskId } of draft.tasks.values()) noteUnnamed(reduction, taskId);
  // A task is to be killed if somebody wants that, or its time is over.
  for (const { taskId } of draft.tasks.values()) noteTime(reduction, taskId);
  // A task that may run stays listed, as a kill once that is wanted and it has a process.
  for (const { taskId } of draft.tasks.values()) listTracked(reduction, taskId);
  // A run that the agent does not have is listed; unless it has begun, and is lost, or its kill came before its start.
  for (const run of open.values()) listOpenRun(reduction, run);
  const { list, begun, lost, neverStarted, ungated } = reduction;
  return { state: draft.state, list, begun, lost, neverStarted, ungated };
}
