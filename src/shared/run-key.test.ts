import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRunKey, runKey } from './run-key.js';

test('a key names cluster, task and clock, and parses back', () => {
  const key = runKey('0123456789abcdef', { taskId: 7, clock: 1_700_000_000 });
  assert.equal(key, '01234567-7-1700000000');
  assert.deepEqual(parseRunKey(key), { cluster8: '01234567', taskId: 7, clock: 1_700_000_000 });
});

test('other names of folders are no keys', () => {
  for (const text of ['', 'x', '01234567-7', '01234567-7-1-2', '0123456X-7-1', '01234567-7-1.new', '../01234567-7-1']) {
    assert.equal(parseRunKey(text), undefined, text);
  }
});
