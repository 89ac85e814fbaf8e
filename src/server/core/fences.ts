import type { TaskChange } from './changes.js';
import type { TaskState } from './task-state.js';

/**
 * The changes of a server that does not own the task. `touches`: the owner must read the task again; that change comes
 * first, so that the task cannot end meanwhile.
 */
export function withoutOwnership(
  { rules: { taskId }, actionClock: clock }: TaskState,
  changes: readonly TaskChange[],
  touches: boolean,
): readonly TaskChange[] {
  return touches ? [{ kind: 'touch-task', taskId, clock }, ...changes] : changes;
}

/** The owner's changes rest on what it has in memory, so they count only if no other program has touched the task. */
export function asOwner(
  scheduler: string,
  before: TaskState,
  after: TaskState,
  changes: readonly TaskChange[],
): readonly TaskChange[] {
  const { taskId } = after.rules;
  const { action, actionClock } = before;
  const proof: TaskChange = { kind: 'as-scheduler', taskId, scheduler, action, actionClock };
  if (!after.ended || before.ended) return changes.length === 0 ? changes : [proof, ...changes];
  const end: TaskChange = {
    kind: 'end-task',
    taskId,
    scheduler,
    action: after.action,
    actionClock: after.actionClock,
  };
  // With another action than before the end itself does not show whether that was still the one in force.
  return after.actionClock === actionClock ? [...changes, end] : [proof, ...changes, end];
}
