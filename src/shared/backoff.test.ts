import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from './backoff.js';

test('the bound doubles up to its limit, and each wait lies between a quarter of it and all of it', () => {
  const longest = new Backoff({ firstMs: 100, maxMs: 1_000 }, () => 1);
  const shortest = new Backoff({ firstMs: 100, maxMs: 1_000 }, () => 0);
  const times = Array.from({ length: 6 });
  assert.deepEqual(
    times.map(() => longest.nextMs()),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  assert.deepEqual(
    times.map(() => shortest.nextMs()),
    [25, 50, 100, 200, 250, 250],
  );
});

test('after a success it begins again', () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1_000 }, () => 1);
  backoff.nextMs();
  backoff.nextMs();
  backoff.reset();
  assert.equal(backoff.nextMs(), 100);
});
