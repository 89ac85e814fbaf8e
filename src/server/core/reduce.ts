import { applyHostAction, applyTaskAction } from './apply-action.js';
import { applyListed, applyLost, applyResult, applyStarted } from './apply-report.js';
import { applyRefresh } from './apply-refresh.js';
import { applyWake } from './apply-wake.js';
import { DONE, type Answer, type Context, type TaskEvent } from './events.js';
import { schedule } from './schedule.js';
import { TaskDraft, type Step } from './task-draft.js';
import type { TaskState } from './task-state.js';

/** The answer to any action on a task that has ended. */
export const FINISHED = Object.freeze({
  outcome: 'refused',
  why: 'task already finished, no more action can do',
} as const);

export interface Reduction extends Step {
  /** one for each event, in their order */
  readonly answers: readonly Answer[];
}

/** Applies events in their order, each followed by scheduling, and gives the outcome of all of them together. */
export function reduce(state: TaskState, events: readonly TaskEvent[], context: Context): Reduction {
  const { scheduler } = context;
  const draft = new TaskDraft(state, context.nowMs);
  const answers = events.map((event) => {
    const answer = apply(draft, event, context);
    if (scheduler !== undefined) schedule(draft, context);
    return answer;
  });
  if (scheduler === undefined && events.some(({ kind }) => kind === 'host-action')) draft.touch();
  return { ...draft.finish(scheduler), answers };
}

function apply(draft: TaskDraft, event: TaskEvent, context: Context): Answer {
  const { reach } = context;
  switch (event.kind) {
    case 'task-action':
      return draft.ended ? FINISHED : applyTaskAction(draft, event.action, context);
    case 'host-action':
      return draft.ended ? FINISHED : applyHostAction(draft, event.host, event.action, context);
    case 'result':
      return applyResult(draft, event);
    case 'started':
      return applyStarted(draft, event, context);
    case 'listed':
      return applyListed(draft, event, context);
    case 'lost':
      return applyLost(draft, event.host, event.clock, event.output);
    case 'refresh':
      return applyRefresh(draft, event, context);
    case 'wake':
      // The owner of the task keeps its deadlines.
      return context.scheduler === undefined ? DONE : applyWake(draft, reach);
    default:
      return event satisfies never;
  }
}
