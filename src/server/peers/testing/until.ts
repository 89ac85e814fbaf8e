import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 10;
const TIMEOUT_MS = 20_000;

/** For what only the database or another server can tell: asks until there is an answer other than undefined. */
export async function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const endMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await wait(POLL_MS);
  }
}
