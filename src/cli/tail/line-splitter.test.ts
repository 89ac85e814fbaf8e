import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter, type Line } from './line-splitter.js';

function shown(lines: readonly Line[]): string[] {
  return lines.map(({ bytes, ended }) => `${Buffer.from(bytes).toString('latin1')}${ended ? '$' : '~'}`);
}

test('lines come out once their newline has come', () => {
  const splitter = new LineSplitter();
  assert.deepEqual(shown(splitter.push(Buffer.from('one\ntwo\nth'))), ['one$', 'two$']);
  assert.deepEqual(shown(splitter.push(Buffer.from('ree\n'))), ['three$']);
  assert.equal(splitter.flush(), undefined);
});

test('any cutting of the bytes gives the same lines', () => {
  const bytes = Buffer.from([0x61, 0x0a, 0x0a, 0xff, 0x00, 0x0d, 0x0a, 0xe5, 0xa4, 0x9c, 0x0a, 0x7a]);
  const whole = new LineSplitter();
  const expected = [...shown(whole.push(bytes)), ...shown([whole.flush()].filter((line) => line !== undefined))];
  assert.equal(expected.length, 5);
  for (let cut = 1; cut < bytes.length; cut++) {
    for (let second = cut; second < bytes.length; second++) {
      const splitter = new LineSplitter();
      const lines = [bytes.subarray(0, cut), bytes.subarray(cut, second), bytes.subarray(second)].flatMap((piece) =>
        splitter.push(piece),
      );
      const last = splitter.flush();
      assert.deepEqual(shown(last ? [...lines, last] : lines), expected, `cut at ${cut} and ${second}`);
    }
  }
});

test('an empty line is a line; no bytes are none', () => {
  const splitter = new LineSplitter();
  assert.deepEqual(shown(splitter.push(Buffer.from('\n'))), ['$']);
  assert.deepEqual(splitter.push(Buffer.alloc(0)), []);
  assert.equal(splitter.flush(), undefined);
});

test('a line beyond the limit comes in pieces, and nothing of it is lost', () => {
  const splitter = new LineSplitter(4);
  const lines = [...splitter.push(Buffer.from('abc')), ...splitter.push(Buffer.from('defghij\nk'))];
  assert.deepEqual(shown(lines), ['abcd~', 'efgh~', 'ij$']);
  const last = splitter.flush();
  assert.ok(last);
  assert.deepEqual(shown([last]), ['k~']);
});

test('a line of exactly the limit stays whole', () => {
  const splitter = new LineSplitter(4);
  assert.deepEqual(shown(splitter.push(Buffer.from('abcd\n'))), ['abcd$']);
});
