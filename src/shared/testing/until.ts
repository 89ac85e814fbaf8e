import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 10;

/** Far more than anything takes on a machine that has several times as much to do as it can. */
const TIMEOUT_MS = 90_000;

/**
 * For what only another process, the database or another server can tell: asks again and again until there is an answer
 * other than undefined or false.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs / 1_000} s in vain: ${what}`);
    await wait(POLL_MS);
  }
}
