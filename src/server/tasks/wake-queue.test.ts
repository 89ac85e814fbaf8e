import assert from 'node:assert/strict';
import { it } from 'node:test';
import { WakeQueue } from './wake-queue.js';

it('wakes each task once, in the order of their times, at the time set last', async () => {
  const woken: number[] = [];
  let done: () => void;
  const all = new Promise<void>((resolve) => (done = resolve));
  const startMs = Date.now();
  using queue = new WakeQueue(Date.now, (taskId) => {
    woken.push(taskId);
    if (taskId === 99) done();
  });
  for (let taskId = 50; taskId > 0; taskId--) queue.set(taskId, startMs + taskId);
  queue.set(99, startMs + 100);
  queue.set(3, startMs + 80);
  queue.set(4, Number.POSITIVE_INFINITY);
  queue.set(60, startMs + 5_000);
  queue.set(60, startMs + 2);
  await all;
  const expected = Array.from({ length: 50 }, (_, i) => i + 1).filter((id) => id !== 3 && id !== 4);
  assert.deepEqual(
    [...woken].sort((a, b) => a - b),
    [...expected, 3, 60, 99].sort((a, b) => a - b),
  );
  assert.deepEqual(woken.slice(-2), [3, 99]);
  assert.ok(Date.now() >= startMs + 100);
});

it('keeps no more than a bounded number of times that no longer count', async () => {
  let done: (taskId: number) => void;
  const first = new Promise<number>((resolve) => (done = resolve));
  using queue = new WakeQueue(Date.now, (taskId) => done(taskId));
  for (let i = 0; i < 20_000; i++) queue.set(i % 10, Date.now() + 1_000_000 - i);
  queue.set(77, Date.now() + 1);
  assert.equal(await first, 77);
});
