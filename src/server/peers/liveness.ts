import type { ServerMark } from '../store/store.js';

/** A server of our kind that has shown no sign of life for so long is dead, ms. */
export const SERVER_DEAD_AFTER_MS = 10_000;

/**
 * Of the server processes that have left a mark, those that live: of each name the newest, as a restart leaves another.
 */
export function livingServers(marks: readonly ServerMark[], goneAfterMs = SERVER_DEAD_AFTER_MS): readonly ServerMark[] {
  const living = new Map<string, ServerMark>();
  for (const mark of marks) {
    const known = living.get(mark.name);
    if (mark.seenMsAgo < goneAfterMs && (!known || mark.seenMsAgo < known.seenMsAgo)) living.set(mark.name, mark);
  }
  return [...living.values()];
}
