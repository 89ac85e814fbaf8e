import { PauseCause, type TaskAction } from '../../shared/task-states.js';
import { failures, type TaskState } from './task-state.js';

/** The action of an open task, and why it is paused if it is. */
export interface ActionInForce {
  readonly action: TaskAction;
  /** null unless the action is `pause` */
  readonly cause: PauseCause | null;
  /** hosts that count against the tolerance */
  readonly failed: number;
  readonly tolerance: number;
  /** the host of the pause list after whose start the task paused; null for any other cause */
  readonly pausedAfter: string | null;
}

/**
 * The cause of a pause is derived from what keeps the task from going on, so that every server can tell it at any time.
 * A task over its tolerance says so also where an operator has paused it, because a start would only pause it again.
 */
export function actionInForce(state: TaskState): ActionInForce {
  const { action, rules, counts } = state;
  const failed = failures(counts);
  const common = { action, failed, tolerance: rules.tolerance, pausedAfter: null };
  if (action !== 'pause') return { ...common, cause: null };
  if (failed > rules.tolerance && counts.waiting > 0) return { ...common, cause: PauseCause.tolerance };
  const newest = state.hosts.findLast(({ startClock }) => startClock > 0);
  if (!newest || !rules.pauseAfter.has(newest.host)) return { ...common, cause: PauseCause.operator };
  return { ...common, cause: PauseCause.pauseList, pausedAfter: newest.host };
}
