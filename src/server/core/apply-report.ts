import {
  DONE,
  STORED,
  UNKNOWN,
  type Answer,
  type Context,
  type ListedEvent,
  type ResultEvent,
  type StartedEvent,
  type StoredOutput,
} from './events.js';
import { startDeadlineMs } from './deadlines.js';
import { wakeForHost } from './schedule.js';
import type { TaskDraft } from './task-draft.js';
import { isActive, type HostEntry } from './task-state.js';

/**
 * A result from an agent. The first final status of a clock stands: what comes after it adds at most the output and
 * details that were missing, and coming twice changes nothing.
 */
export function applyResult(draft: TaskDraft, event: ResultEvent): Answer {
  const entry = draft.host(event.host);
  if (!entry || event.clock > newestClock(entry)) return UNKNOWN;
  if (event.clock < entry.startClock || !isActive(entry)) {
    if (event.clock < entry.startClock || !entry.reported) {
      draft.lateReport(entry, event.clock, event.output, event.report);
    }
    return STORED;
  }
  draft.report(entry, event.clock, event.status, event.output, event.report);
  return STORED;
}

/** Where another server has put a kill over the start, only the agent may know the start's own clock. */
function newestClock(entry: HostEntry): number {
  return entry.status === 'killing' ? Math.max(entry.startClock, entry.lastClock) : entry.startClock;
}

export function applyStarted(
  draft: TaskDraft,
  { host, clock, startedMs }: StartedEvent,
  { scheduler }: Context,
): Answer {
  const entry = draft.host(host);
  if (entry && isActive(entry) && entry.startClock === clock && entry.startedMs === null) {
    // Of an agent that asks for its work this comes before it has it: whoever schedules the task may give it up now.
    if (scheduler === undefined && entry.status === 'running' && !entry.dispatched) draft.dispatchStored(entry);
    draft.started(entry, startedMs);
    wakeForHost(draft, host);
  }
  return DONE;
}

/** A result that comes after all still adds what was missing, as after any other end that the server assumed. */
export function applyLost(draft: TaskDraft, host: string, clock: number, output: StoredOutput): Answer {
  const entry = draft.host(host);
  if (entry && isActive(entry) && entry.startClock === clock) {
    draft.settle(entry, entry.status === 'killing' ? 'killfailed' : 'failed', 'lost', output);
  }
  return DONE;
}

/** An agent has listed its runs: what it should have is assigned, what it should not run is killed. */
export function applyListed(draft: TaskDraft, event: ListedEvent, { shared }: Context): Answer {
  const entry = draft.host(event.host);
  if (!entry || (entry.startClock === 0 && entry.status !== 'killing')) return DONE;
  const listed = event.runs.get(entry.startClock);
  switch (entry.status) {
    case 'running':
      if (listed !== undefined) draft.noteDispatched(entry, listed !== 'accepted');
      else if (event.newStore && entry.dispatched) draft.settle(entry, 'failed', 'lost', lostOutput(event.host));
      // Past its last moment of start, a run nobody has begun is left to its deadline; one that may have begun is
      // asked for again, because only the agent's claim can tell.
      else if (entry.dispatched || draft.nowMs < startDeadlineMs(entry, draft.rules)) {
        draft.sendStoredStart(entry, shared);
      }
      wakeForHost(draft, event.host);
      break;
    case 'killing':
      if (listed !== 'ended') draft.sendKill(entry.host, entry.startClock || entry.lastClock);
      break;
    case 'killed':
    case 'killfailed':
      if (!entry.reported && (listed === 'accepted' || listed === 'running')) {
        draft.sendKill(entry.host, entry.startClock);
      }
      break;
    default:
      break;
  }
  return DONE;
}

function lostOutput(host: string): { readonly stdout: string; readonly stderr: string } {
  return { stdout: '', stderr: `ibex: lost: the agent of ${host} has a new MetaDir and knows nothing of this run\n` };
}
