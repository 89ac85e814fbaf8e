import type { TaskAction } from '../../shared/task-states.js';
import type { TaskMeta } from './records.js';
import type { Context } from './events.js';
import { TASK_AGE_LIMIT_MS } from './deadlines.js';
import { schedule } from './schedule.js';
import { TaskDraft, type Step } from './task-draft.js';
import { newHostEntry, rulesOf, stateOf } from './task-state.js';

/**
 * A new task with its first batch already started: one change that creates it so. Host names must be distinct. Where
 * the context names no scheduler nothing is started, and the task is left to the server that takes it over.
 */
export function firstStep(
  meta: TaskMeta,
  action: TaskAction,
  hosts: readonly string[],
  startWithinMs: number,
  context: Context,
): Step {
  const rules = rulesOf(meta, startWithinMs, 0);
  const inForce = { action, actionClock: Math.floor(rules.createdMs / 1_000) };
  const draft = new TaskDraft(stateOf(rules, inForce, hosts.map(newHostEntry), context.nowMs), context.nowMs);
  draft.clearWake();
  draft.wakeBy(rules.createdMs + TASK_AGE_LIMIT_MS);
  if (context.scheduler !== undefined) schedule(draft, context);
  const { state, effects, touched, changes } = draft.finish();
  return {
    state,
    effects,
    touched,
    changes: [
      {
        kind: 'create-task',
        meta,
        action: state.action,
        actionClock: state.actionClock,
        scheduler: context.scheduler ?? '',
        hosts: state.hosts.map(({ host, startClock }) => ({
          host,
          startClock: startClock === 0 ? undefined : startClock,
        })),
      },
      ...changes.filter(({ kind }) => kind === 'note-dispatch'),
    ],
  };
}
