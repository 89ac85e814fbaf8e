import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentIds } from './agent-state.js';

test('the last thousand scripts are remembered, and one that was withheld is not', () => {
  let ids = new RecentIds();
  for (let id = 1; id <= 3_000; id++) ids = ids.with(id);
  const held = (from: number, to: number): number => {
    let count = 0;
    for (let id = from; id <= to; id++) if (ids.has(id)) count++;
    return count;
  };
  assert.equal(held(2_041, 3_000), 960);
  assert.equal(held(1, 1_900), 0);
  const before = ids;
  ids = ids.without(2_999);
  assert.deepEqual([ids.has(2_999), before.has(2_999), ids.has(2_998)], [false, true, true]);
});
