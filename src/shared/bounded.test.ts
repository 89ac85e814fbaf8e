import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CappedMap } from './capped-map.js';
import { LogOnce } from './log-once.js';
import { pieces } from './pieces.js';

test('a list comes in pieces, in order, and none is empty', () => {
  assert.deepEqual([...pieces([1, 2, 3, 4, 5], 2)], [[1, 2], [3, 4], [5]]);
  assert.deepEqual([...pieces([1, 2], 2)], [[1, 2]]);
  assert.deepEqual([...pieces([], 2)], []);
});

test('a capped map forgets what was set longest ago', () => {
  const map = new CappedMap<string, number>(2).set('a', 1).set('b', 2).set('a', 3);
  assert.deepEqual(
    [...map.set('c', 4)],
    [
      ['a', 3],
      ['c', 4],
    ],
  );
});

test('a failure is logged once until it succeeds', () => {
  const logged: object[] = [];
  const once = new LogOnce({ warn: (fields, message) => logged.push({ ...fields, message }) }, 'no luck');
  once.failed(new Error('x'));
  once.failed(new Error('y'));
  assert.deepEqual(logged, [{ err: 'x', message: 'no luck' }]);
  once.succeeded();
  once.failed(new Error('z'));
  assert.deepEqual(logged[1], { err: 'z', message: 'no luck' });
});
