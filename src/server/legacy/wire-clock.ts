/*
 * These agents tell runs of one id apart by their clocks, compare them for equality only, and keep a result under the
 * last one they were given. So whatever is listed anew has a clock of its own that no other start ever gets, and that
 * tells which start it belongs to even after a restart of this server: a kill, and a further attempt at a start.
 */
const KILL_OFFSET = 2 ** 40;
const ATTEMPT_OFFSET = 2 ** 41;
/** The last that an id is listed under; with it a clock is still far below 2^53. */
export const MAX_ATTEMPT = 1_000;

export function killClock(startClock: number): number {
  return startClock + KILL_OFFSET;
}

/** `attempt`: 0 where the start is listed for the first time. */
export function attemptClock(startClock: number, attempt: number): number {
  return startClock + attempt * ATTEMPT_OFFSET;
}

export function isKillClock(wireClock: number): boolean {
  return wireClock >= KILL_OFFSET && Math.floor(wireClock / KILL_OFFSET) % 2 === 1;
}

/** The start that a clock from the wire belongs to. */
export function startClockOf(wireClock: number): number {
  return wireClock >= KILL_OFFSET ? wireClock % KILL_OFFSET : wireClock;
}

export function attemptOf(wireClock: number): number {
  return wireClock >= ATTEMPT_OFFSET ? Math.floor(wireClock / ATTEMPT_OFFSET) : 0;
}
