/*
 * These agents tell runs of one id apart by their clocks, compare them for equality only, and keep a result under the
 * last one they were given, which for a kill is the kill's. So a kill has a clock of its own that no start ever gets,
 * and that tells which start it belongs to even after a restart of this server.
 */
const KILL_OFFSET = 2 ** 40;

export function killClock(startClock: number): number {
  return startClock + KILL_OFFSET;
}

export function isKillClock(wireClock: number): boolean {
  return wireClock >= KILL_OFFSET;
}

/** The start that a clock from the wire belongs to. */
export function startClockOf(wireClock: number): number {
  return isKillClock(wireClock) ? wireClock - KILL_OFFSET : wireClock;
}
