import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEAD_AFTER_MS, livingServers } from './liveness.js';

it('counts of each name the process that was seen last, if that is not too long ago', () => {
  const mark = (instance: string, name: string, seenMsAgo: number) => ({ instance, name, seenMsAgo, version: '1' });
  const marks = [
    mark('before its restart', 'one', 5_000),
    mark('restarted', 'one', 100),
    mark('before that', 'one', 9_000),
    mark('dead', 'two', DEAD_AFTER_MS),
    mark('about to be', 'three', DEAD_AFTER_MS - 1),
  ];
  assert.deepEqual(
    livingServers(marks).map(({ instance }) => instance),
    ['restarted', 'about to be'],
  );
  assert.deepEqual(
    livingServers(marks, 200).map(({ instance }) => instance),
    ['restarted'],
  );
});
