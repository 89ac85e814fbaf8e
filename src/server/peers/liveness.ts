import type { ServerMark } from '../store/store.js';

/** A server, of this kind or another, is dead once it has given no sign of life for so long, ms. */
export const DEAD_AFTER_MS = 10_000;

/** The one rule of when a server is dead, whatever its signs of life are written in. */
export function isDead(silentMs: number, deadAfterMs = DEAD_AFTER_MS): boolean {
  return silentMs >= deadAfterMs;
}

/**
 * Of the server processes that have left a mark, those that live: of each name the newest, as a restart leaves another.
 */
export function livingServers(marks: readonly ServerMark[], deadAfterMs = DEAD_AFTER_MS): readonly ServerMark[] {
  const living = new Map<string, ServerMark>();
  for (const mark of marks) {
    const known = living.get(mark.name);
    if (!isDead(mark.seenMsAgo, deadAfterMs) && (!known || mark.seenMsAgo < known.seenMsAgo)) {
      living.set(mark.name, mark);
    }
  }
  return [...living.values()];
}
