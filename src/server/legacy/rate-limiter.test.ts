import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimiter } from './rate-limiter.js';

const MIB = 1024 * 1024;

/** How long an agent that calls again a moment after each answer waits in all, while it makes so many calls; ms. */
function waited(calls: number, everyMs: number, bytes: number, isReport = true): number {
  const pace = new RateLimiter(0);
  let nowMs = 0;
  let waitedMs = 0;
  for (let call = 0; call < calls; call++) {
    const waitMs = pace.waitMs(isReport, bytes, nowMs);
    waitedMs += waitMs;
    nowMs += waitMs + everyMs;
  }
  return waitedMs;
}

test('an agent with an interval never waits, not even with all the output that it can have', () => {
  assert.equal(waited(600, 1_000, 9 * MIB), 0);
  assert.equal(waited(60, 0, 30, false), 0, 'nor when it asks for the scripts of a long list');
});

test('an agent without one is answered ten times a second', () => {
  const ms = waited(100, 0, 60);
  assert.ok(ms > 9_400 && ms <= 10_000, `${ms} ms`);
});

test('one that tells megabytes again and again is slowed down, and no answer waits longer than its agent does', () => {
  const ms = waited(20, 0, 8 * MIB);
  assert.ok(ms > 12_000, `${ms} ms for 160 MiB`);
  const pace = new RateLimiter(0);
  let longestMs = 0;
  for (let call = 0, nowMs = 0; call < 20; call++) {
    const waitMs = pace.waitMs(true, 16 * MIB, nowMs);
    longestMs = Math.max(longestMs, waitMs);
    nowMs += waitMs;
  }
  assert.ok(longestMs < 2_000, `${longestMs} ms`);
});
