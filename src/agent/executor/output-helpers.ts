import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { EndedScript, OpenStream } from './ended-script.js';
import { findHelpers, type Helper } from './find-helpers.js';

/** The longest that a run goes on after its script for the sake of helpers. */
const LIMIT_MS = 2_000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;
/** A terminal holds 68 KiB at most, of which each turn of the event loop reads up to 4. What comes later is another's. */
const LAST_TURNS = 50;

/**
 * Waits until every helper has left, or has written all that it got and waits at an empty pipe, which another process
 * keeps open. Resolves with the streams that may lack bytes: helpers were still at work after 2 s, or at the signal.
 * Daemons and other processes that merely have a stream open are not waited for. Where nobody has one open, it resolves
 * in this turn of the event loop.
 */
export async function awaitHelpers(script: EndedScript, signal: AbortSignal): Promise<ReadonlySet<Stream>> {
  const { streams } = script;
  const untilMs = performance.now() + LIMIT_MS;
  let helpers: readonly Helper[] = [];
  for (let pauseMs = FIRST_PAUSE_MS; ;) {
    const states = streams.map((stream) => stream.look());
    if (states.every((state) => state === 'over')) return new Set();
    const isOver = signal.aborted || performance.now() >= untilMs;
    if (!isOver && states.includes('closing')) {
      await turn();
      continue;
    }
    if (allIdle(helpers)) {
      helpers = await findHelpers({ ...script, streams: streams.filter((_, at) => states[at] !== 'over') });
      // The second look finds a helper busy that got bytes from one which has become idle meanwhile.
      if (allIdle(helpers) && allIdle(helpers)) {
        await readLastBytes(streams);
        return new Set();
      }
    }
    if (isOver) return new Set(helpers.flatMap((helper) => helper.streams));
    await wait(pauseMs, undefined, { signal }).catch(() => undefined);
    pauseMs = Math.min(LONGEST_PAUSE_MS, 1.5 * pauseMs);
  }
}

async function readLastBytes(streams: readonly OpenStream[]): Promise<void> {
  const isPending = (stream: OpenStream): boolean => ['unread', 'closing'].includes(stream.look());
  for (let turns = 0; turns < LAST_TURNS && streams.some(isPending); turns++) await turn();
}

function allIdle(helpers: readonly Helper[]): boolean {
  return helpers.every((helper) => helper.isIdle());
}
