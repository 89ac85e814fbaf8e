import { DONE, type Answer, type Reach } from './events.js';
import { cancelWaiting } from './apply-action.js';
import { deadlineMs, HELD_AGAIN_MS, TASK_AGE_LIMIT_MS } from './deadlines.js';
import type { TaskDraft } from './task-draft.js';
import { isActive, type HostEntry } from './task-state.js';

/** Settles the hosts whose deadline has passed and finds out when to be woken next. */
export function applyWake(draft: TaskDraft, reach: Reach): Answer {
  const endsMs = draft.rules.createdMs + TASK_AGE_LIMIT_MS;
  const tooOld = draft.nowMs >= endsMs;
  draft.clearWake();
  draft.wakeBy(endsMs);
  if (tooOld) cancelWaiting(draft);
  for (const entry of draft.hosts) {
    if (entry.strayClock !== null) draft.dropStray(entry, entry.strayClock);
    if (!isActive(entry)) continue;
    const atMs = deadlineMs(entry, draft.rules);
    if (!tooOld && draft.nowMs < atMs) draft.wakeBy(atMs);
    else if (!tooOld && reach.holds(entry.host, entry.startClock)) draft.wakeBy(draft.nowMs + HELD_AGAIN_MS);
    else giveUp(draft, entry);
  }
  return DONE;
}

function giveUp(draft: TaskDraft, entry: HostEntry): void {
  if (entry.status === 'killing') draft.settle(entry, 'killfailed', 'silent');
  else draft.settle(entry, 'timeout', entry.dispatched ? 'silent' : 'not-started');
}
