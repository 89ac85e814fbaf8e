import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Positions } from './positions.js';

const bytes = (text: string) => Buffer.from(text);

test('what came twice is fresh once, to the byte', () => {
  const positions = new Positions();
  positions.run('web-01', 100);
  assert.equal(positions.advance('web-01', 'stdout', 0, bytes('abcd')).data.toString(), 'abcd');
  assert.equal(positions.advance('web-01', 'stdout', 0, bytes('abcd')).data.length, 0);
  assert.equal(positions.advance('web-01', 'stdout', 2, bytes('cdef')).data.toString(), 'ef');
  assert.deepEqual(positions.list(), [{ host: 'web-01', clock: 100, stdout: 6, stderr: 0 }]);
});

test('a hole is counted', () => {
  const positions = new Positions();
  positions.run('web-01', 100);
  positions.advance('web-01', 'stderr', 0, bytes('ab'));
  const fresh = positions.advance('web-01', 'stderr', 5, bytes('f'));
  assert.equal(fresh.missingBytes, 3);
  assert.equal(fresh.data.toString(), 'f');
});

test('another clock begins at 0 again; the first one and the same one do not', () => {
  const positions = new Positions();
  assert.equal(positions.run('web-01', 0), false);
  assert.equal(positions.run('web-01', 100), false);
  positions.advance('web-01', 'stdout', 0, bytes('abc'));
  assert.equal(positions.run('web-01', 100), false);
  assert.equal(positions.run('web-01', 101), true);
  assert.deepEqual(positions.list(), [{ host: 'web-01', clock: 101, stdout: 0, stderr: 0 }]);
});

test('a gap moves forward only', () => {
  const positions = new Positions();
  positions.run('web-01', 100);
  assert.equal(positions.skip('web-01', 'stdout', 10), true);
  assert.equal(positions.skip('web-01', 'stdout', 10), false);
  assert.equal(positions.advance('web-01', 'stdout', 10, bytes('x')).missingBytes, 0);
});

test('a host that has not started has no position to go on from', () => {
  const positions = new Positions();
  positions.run('web-01', 0);
  assert.deepEqual(positions.list(), []);
});
