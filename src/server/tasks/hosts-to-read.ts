import { overdueHosts } from '../core/deadlines.js';
import type { TaskEvent } from '../core/events.js';
import { hostEntry, type TaskState } from '../core/task-state.js';
import type { TaskCopy } from './task-copy.js';

export interface ReadingContext {
  readonly nowMs: number;
  /** other servers may have changed the task, too */
  readonly shared: boolean;
  /** a peer is known to own the task */
  readonly ownedByPeer: boolean;
}

/** The hosts that must be read before these events can be applied to their task; undefined: none, nor the task. */
export function hostsToRead(
  copy: TaskCopy,
  events: readonly TaskEvent[],
  context: ReadingContext,
): readonly string[] | 'all' | undefined {
  if (copy.state && copy.owned) return staleHosts(copy.state, events, context);
  if (!copy.state && !context.ownedByPeer) return 'all';
  const hosts = new Set(copy.state ? [] : copy.activeHosts);
  for (const event of events) {
    if (event.kind === 'task-action') return 'all';
    for (const host of namedHosts(event)) hosts.add(host);
  }
  return [...hosts];
}

/**
 * The owner's memory of a task is right but for what other programs have written meanwhile. An operator's action must
 * not miss that; a result needs no reading, as the commit fails if another program has touched the task.
 */
function staleHosts(
  state: TaskState,
  events: readonly TaskEvent[],
  { nowMs, shared }: ReadingContext,
): readonly string[] | 'all' | undefined {
  const hosts = new Set<string>();
  let refreshed = false;
  for (const event of events) {
    if (event.kind === 'task-action') {
      if (shared) return 'all';
    } else if (event.kind === 'host-action') {
      if (shared) hosts.add(event.host);
    } else if (event.kind === 'refresh') {
      if (event.hosts === 'all') return 'all';
      refreshed = true;
      for (const host of event.hosts) hosts.add(host);
    } else if (event.kind === 'wake') {
      if (shared) for (const host of overdueHosts(state, nowMs)) hosts.add(host);
    } else {
      const known = 'host' in event ? (hostEntry(state, event.host)?.startClock ?? Infinity) : Infinity;
      if (clocksOf(event).some((clock) => clock > known)) for (const host of namedHosts(event)) hosts.add(host);
    }
  }
  return refreshed || hosts.size > 0 ? [...hosts] : undefined;
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
