import { isActive, STATUS_RULES, type HostAction, type TaskAction } from '../../shared/task-states.js';
import { DONE, type Answer, type Context, type Reach } from './events.js';
import { startHost, wakeForHost } from './schedule.js';
import type { TaskDraft } from './task-draft.js';
import type { HostEntry } from './task-state.js';

const PAUSED_HINT = 'you can click start to run the task';

/** Carries out an operator's action on the whole task. Scheduling follows afterwards. */
export function applyTaskAction(draft: TaskDraft, action: TaskAction, { reach }: Context): Answer {
  draft.setAction(action);
  switch (action) {
    case 'start':
    case 'pause':
      break;
    case 'cancel':
      cancelWaiting(draft);
      break;
    case 'kill':
      cancelWaiting(draft);
      for (const entry of draft.hosts)
        if (STATUS_RULES[entry.status].phase === 'running') killHost(draft, entry, reach);
      break;
    default:
      action satisfies never;
  }
  return DONE;
}

/** Carries out an operator's action on one host. */
export function applyHostAction(draft: TaskDraft, host: string, action: HostAction, context: Context): Answer {
  const entry = draft.host(host);
  if (!entry) return { outcome: 'refused', why: 'no such host' };
  switch (action) {
    case 'ignore':
      if (entry.status !== 'ignored') draft.settle(entry, 'ignored', null);
      return draft.action === 'pause' ? { outcome: 'done', hint: PAUSED_HINT } : DONE;
    case 'redo':
      if (!isActive(entry.status)) startHost(draft, entry, context);
      return DONE;
    case 'kill':
      if (!STATUS_RULES[entry.status].killable) return { outcome: 'refused', why: 'current status cannot kill' };
      killHost(draft, entry, context.reach);
      return DONE;
    default:
      action satisfies never;
      return { outcome: 'refused', why: 'action invalid' };
  }
}

export function cancelWaiting(draft: TaskDraft): void {
  for (let entry = draft.nextWaiting(); entry !== undefined; entry = draft.nextWaiting()) {
    draft.settle(entry, 'cancelled', null);
  }
}

/** Sends the kill to the agent, unless the server itself knows that nothing runs there. */
function killHost(draft: TaskDraft, entry: HostEntry, reach: Reach): void {
  if (entry.reported) {
    draft.settle(entry, 'killed', null);
  } else if (entry.dispatched || reach.connected(entry.host) || reach.foreignSchedulerMayReach(entry.host)) {
    draft.kill(entry);
    wakeForHost(draft, entry.host);
  } else {
    draft.settle(entry, 'killed', 'not-started');
  }
}
