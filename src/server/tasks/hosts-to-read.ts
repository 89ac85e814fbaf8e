import { overdueHosts } from '../core/deadlines.js';
import type { TaskEvent } from '../core/events.js';
import { hostEntry, type TaskState } from '../core/task-state.js';
import type { TaskCopy } from './task-copy.js';

export interface ReadingContext {
  readonly nowMs: number;
  /** other servers may have changed the task, too */
  readonly shared: boolean;
  /** another server is known to schedule the task */
  readonly elsewhere: boolean;
}

/** What must be read of a task before these events can be applied to it; undefined: nothing. */
export function hostsToRead(
  copy: TaskCopy,
  events: readonly TaskEvent[],
  context: ReadingContext,
): readonly string[] | 'all' | undefined {
  if (copy.state && copy.owned) return staleHosts(copy.state, events, context);
  if (!copy.state && !context.elsewhere) return 'all';
  const hosts = new Set(copy.state ? [] : copy.activeHosts);
  for (const event of events) {
    if (event.kind === 'task-action') return 'all';
    for (const host of namedHosts(event)) hosts.add(host);
  }
  return [...hosts];
}

/**
 * Where a server schedules a task itself, its memory is right but for what others have done meanwhile. An operator's
 * action must not miss that; results need no look, as a commit fails whose task was touched by somebody else.
 */
function staleHosts(
  state: TaskState,
  events: readonly TaskEvent[],
  { nowMs, shared }: ReadingContext,
): readonly string[] | 'all' | undefined {
  const hosts = new Set<string>();
  let looked = false;
  for (const event of events) {
    if (event.kind === 'task-action') {
      if (shared) return 'all';
    } else if (event.kind === 'host-action') {
      if (shared) hosts.add(event.host);
    } else if (event.kind === 'refresh') {
      if (event.hosts === 'all') return 'all';
      looked = true;
      for (const host of event.hosts) hosts.add(host);
    } else if (event.kind === 'wake') {
      if (shared) for (const host of overdueHosts(state, nowMs)) hosts.add(host);
    } else {
      const known = 'host' in event ? (hostEntry(state, event.host)?.startClock ?? Infinity) : Infinity;
      if (clocksOf(event).some((clock) => clock > known)) for (const host of namedHosts(event)) hosts.add(host);
    }
  }
  return looked || hosts.size > 0 ? [...hosts] : undefined;
}

/** Starts that the event speaks of; one that is newer than those in memory was made by somebody else. */
function clocksOf(event: TaskEvent): readonly number[] {
  switch (event.kind) {
    case 'result':
    case 'started':
      return [event.clock];
    case 'listed':
      return [...event.runs.keys()];
    default:
      return [];
  }
}

function namedHosts(event: TaskEvent): readonly string[] {
  switch (event.kind) {
    case 'refresh':
      return event.hosts === 'all' ? [] : event.hosts;
    case 'task-action':
    case 'wake':
      return [];
    case 'host-action':
    case 'result':
    case 'started':
    case 'listed':
    case 'lost':
      return [event.host];
    default:
      return event satisfies never;
  }
}
