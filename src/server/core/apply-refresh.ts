import { STATUS_RULES } from '../../shared/task-states.js';
import { startDeadlineMs } from './deadlines.js';
import { DONE, type Answer, type Context, type RefreshEvent } from './events.js';
import { wakeForHost } from './schedule.js';
import type { TaskDraft } from './task-draft.js';
import type { HostEntry } from './task-state.js';

/**
 * Sends the agents that this server reaches what other programs have decided: starts that they do not hold yet, and
 * kills. Sending one again is harmless, because an agent's claim decides what is started.
 */
export function applyRefresh(draft: TaskDraft, { hosts }: RefreshEvent, context: Context): Answer {
  const entries = hosts === 'all' ? draft.hosts : hosts.flatMap((host) => draft.host(host) ?? []);
  for (const entry of entries) {
    const { phase } = STATUS_RULES[entry.status];
    if (phase === 'running') sendStart(draft, entry, context);
    else if (phase === 'killing') {
      draft.sendKill(entry.host, entry.startClock || entry.lastClock);
      wakeForHost(draft, entry.host);
    }
  }
  return DONE;
}

function sendStart(draft: TaskDraft, entry: HostEntry, { reach, shared }: Context): void {
  const { host, startClock } = entry;
  wakeForHost(draft, host);
  if (!reach.connected(host) || reach.holds(host, startClock)) return;
  if (!entry.dispatched && draft.nowMs >= startDeadlineMs(entry, draft.rules)) return;
  draft.sendStoredStart(entry, shared);
}
