import { HostStatus } from '../../shared/task-states.js';
import { activeHosts, failures, type HostEntry } from './task-state.js';
import type { Context } from './events.js';
import type { TaskDraft } from './task-draft.js';
import { deadlineMs, TASK_AGE_LIMIT_MS } from './deadlines.js';

/**
 * Brings a task forward as far as its rules allow: starts waiting hosts in their order, pauses after a host of the
 * pause list or after too many failures, ends the task once every host is final and nobody has to start it.
 */
export function schedule(draft: TaskDraft, context: Context): void {
  if (draft.ended) return;
  while (draft.action === 'start') {
    const next = draft.nextWaiting();
    if (next === undefined) break;
    if (failures(draft.counts) > draft.rules.tolerance) {
      draft.setAction('pause');
      break;
    }
    if (draft.rules.batch > 0 && activeHosts(draft.counts) >= draft.rules.batch) break;
    startHost(draft, next, context);
    if (draft.rules.pauseAfter.has(next.host)) draft.setAction('pause');
  }
  if (draft.counts.waiting === 0 && activeHosts(draft.counts) === 0 && !awaitsStart(draft)) draft.endTask();
}

/**
 * True of a task that was created with `pause` and not acted on since: it stays open for its `start`, whatever an
 * operator does to its hosts. Its action is as old as the task, unless a peer has touched it; a redo starts a host
 * without a start of the task.
 */
function awaitsStart({ action, actionClock, rules, nowMs, hosts }: TaskDraft): boolean {
  if (action !== 'pause' || nowMs >= rules.createdMs + TASK_AGE_LIMIT_MS) return false;
  return actionClock === Math.floor(rules.createdMs / 1_000) || hosts.every(neverRan);
}

/** Of a final host. One that a server without our tables has run has no clock of its start, but its outcome. */
function neverRan({ startClock, status }: HostEntry): boolean {
  return startClock === 0 && status === HostStatus.ignored;
}

export function startHost(draft: TaskDraft, entry: HostEntry, { reach, shared }: Context): void {
  const sent = reach.connected(entry.host);
  draft.start(entry, sent);
  // In a shared database an agent that connects before the commit is sent the start afterwards, with a note of its own.
  if (sent || !shared) draft.sendNewStart(entry.host, shared);
  wakeForHost(draft, entry.host);
}

/** Sees to it that the task is woken when this host's deadline has passed. */
export function wakeForHost(draft: TaskDraft, host: string): void {
  const entry = draft.host(host);
  if (entry) draft.wakeBy(deadlineMs(entry, draft.rules));
}
