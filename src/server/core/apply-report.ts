import { isActive, STATUS_RULES } from '../../shared/task-states.js';
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
import { killUnconfirmed, resultEffect } from './late-results.js';
import { ASSUMED_END } from './run-details.js';

export function applyResult(draft: TaskDraft, event: ResultEvent): Answer {
  const entry = draft.host(event.host);
  if (!entry) return UNKNOWN;
  const effect = resultEffect(entry, event.clock);
  switch (effect) {
    case 'unknown':
      return UNKNOWN;
    case 'ends':
      draft.report(entry, event);
      break;
    case 'completes':
    case 'supersedes':
      draft.lateReport(entry, event, effect);
      break;
    case 'repeats':
      break;
    default:
      effect satisfies never;
  }
  return STORED;
}

export function applyStarted(
  draft: TaskDraft,
  { host, clock, startedMs }: StartedEvent,
  { scheduler }: Context,
): Answer {
  const entry = draft.host(host);
  if (entry && isActive(entry.status) && entry.startClock === clock && entry.startedMs === null) {
    // An agent that polls gets the run only after this event: the owner of the task may be giving the start up now.
    const wanted = STATUS_RULES[entry.status].phase === 'running';
    if (scheduler === undefined && wanted && !entry.dispatched) draft.dispatchStored(entry);
    draft.started(entry, startedMs);
    wakeForHost(draft, host);
  }
  return DONE;
}

/** The agent that had the run knows nothing of it any more. Should a result still come, it completes what is stored. */
export function applyLost(draft: TaskDraft, host: string, clock: number, output: StoredOutput): Answer {
  const entry = draft.host(host);
  if (entry && isActive(entry.status) && entry.startClock === clock) {
    draft.settle(entry, ASSUMED_END[entry.status].lost, 'lost', output);
  }
  return DONE;
}

/** An agent has listed its runs: what it should have is assigned, what it should not run is killed. */
export function applyListed(draft: TaskDraft, event: ListedEvent, { shared }: Context): Answer {
  const entry = draft.host(event.host);
  if (!entry) return DONE;
  const { phase } = STATUS_RULES[entry.status];
  if (entry.startClock === 0 && phase !== 'killing') return DONE;
  const listed = event.runs.get(entry.startClock);
  switch (phase) {
    case 'running':
      if (listed !== undefined) draft.noteDispatched(entry, listed !== 'accepted');
      else if (event.newStore && entry.dispatched) draft.settle(entry, 'failed', 'lost', lostOutput(event.host));
      // Past its last moment of start, a run that no agent was given is left to its deadline; one that may have begun is
      // sent again, because only the agent's claim decides whether it was.
      else if (entry.dispatched || draft.nowMs < startDeadlineMs(entry, draft.rules)) {
        draft.sendStoredStart(entry, shared);
      }
      wakeForHost(draft, event.host);
      break;
    case 'killing':
      if (listed !== 'ended') draft.sendKill(entry.host, entry.startClock || entry.lastClock);
      break;
    case 'final':
      if (killUnconfirmed(entry) && (listed === 'accepted' || listed === 'running')) {
        draft.sendKill(entry.host, entry.startClock);
      }
      break;
    case 'waiting':
      break;
    default:
      phase satisfies never;
  }
  return DONE;
}

function lostOutput(host: string): { readonly stdout: string; readonly stderr: string } {
  return { stdout: '', stderr: `ibex: lost: the agent of ${host} has a new MetaDir and knows nothing of this run\n` };
}
