import { isActive, STATUS_RULES, type RunReason } from '../../shared/task-states.js';
import { DONE, type Answer, type Reach } from './events.js';
import { cancelWaiting } from './apply-action.js';
import { deadlineMs, HELD_AGAIN_MS, TASK_AGE_LIMIT_MS } from './deadlines.js';
import type { TaskDraft } from './task-draft.js';
import type { HostEntry } from './task-state.js';
import { ASSUMED_END } from './run-details.js';

/** Settles the hosts whose deadline has passed, and sets the time of the next wake. */
export function applyWake(draft: TaskDraft, reach: Reach): Answer {
  const endsMs = draft.rules.createdMs + TASK_AGE_LIMIT_MS;
  const tooOld = draft.nowMs >= endsMs;
  draft.clearWake();
  draft.wakeBy(endsMs);
  if (tooOld) cancelWaiting(draft);
  for (const entry of draft.hosts) {
    if (entry.strayClock !== null) draft.dropStray(entry, entry.strayClock);
    const { status } = entry;
    if (!isActive(status)) continue;
    const atMs = deadlineMs(entry, draft.rules, reach.beatMs(entry.host));
    if (!tooOld && draft.nowMs < atMs) draft.wakeBy(atMs);
    else if (!tooOld && reach.holds(entry.host, entry.startClock)) draft.wakeBy(draft.nowMs + HELD_AGAIN_MS);
    else draft.settle(entry, ASSUMED_END[status].silent, silenceReason(entry));
  }
  return DONE;
}

/** A run that no agent was given was never begun; a kill is only assumed where one may have been. */
function silenceReason({ status, dispatched }: HostEntry): RunReason {
  return dispatched || STATUS_RULES[status].phase === 'killing' ? 'silent' : 'not-started';
}
