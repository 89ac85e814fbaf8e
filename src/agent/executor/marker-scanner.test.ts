import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MarkerScanner } from './marker-scanner.js';

const MARKER = '\x1eibex-00ff-';

/** Feeds pieces and returns all that passed as data, and the code. */
function scan(pieces: readonly string[]): { readonly data: string; readonly code: number | undefined } {
  const scanner = new MarkerScanner(MARKER);
  let data = '';
  for (const piece of pieces) {
    const scanned = scanner.push(Buffer.from(piece, 'latin1'));
    data += Buffer.from(scanned.data).toString('latin1');
    if (scanned.end) return { data, code: scanned.end.code };
  }
  return { data: data + Buffer.from(scanner.rest()).toString('latin1'), code: undefined };
}

function bytesOf(stream: string): string[] {
  return stream.split('');
}

test('finds the word in one piece', () => {
  assert.deepEqual(scan([`abc${MARKER}0;`]), { data: 'abc', code: 0 });
  const { end } = new MarkerScanner(MARKER).push(Buffer.from(`${MARKER}143;later`));
  assert.deepEqual([end?.code, Buffer.from(end?.after ?? '').toString()], [143, 'later']);
});

test('finds the word cut at any two places', () => {
  const stream = `x\x1eibex-00\x1e${MARKER}137;`;
  for (let a = 0; a <= stream.length; a++) {
    for (let b = a; b <= stream.length; b++) {
      const pieces = [stream.slice(0, a), stream.slice(a, b), stream.slice(b)];
      assert.deepEqual(scan(pieces), { data: 'x\x1eibex-00\x1e', code: 137 }, `cut at ${a} and ${b}`);
    }
  }
});

test('byte by byte', () => {
  assert.deepEqual(scan(bytesOf(`ab${MARKER}7;`)), { data: 'ab', code: 7 });
});

test('what only looks like the word passes as output', () => {
  for (const stream of [
    '',
    'plain',
    MARKER.slice(0, -1),
    `${MARKER}x;`,
    `${MARKER};`,
    `${MARKER}12345;`,
    `${MARKER}-1;`,
  ]) {
    assert.deepEqual(scan([stream]), { data: stream, code: undefined }, JSON.stringify(stream));
    assert.deepEqual(
      scan(bytesOf(stream)),
      { data: stream, code: undefined },
      `${JSON.stringify(stream)} byte by byte`,
    );
  }
});

test('a false word before the true one', () => {
  assert.deepEqual(scan(bytesOf(`${MARKER}no${MARKER}${MARKER}3;`)), { data: `${MARKER}no${MARKER}`, code: 3 });
});

test('nothing is held back that cannot be the beginning of the word', () => {
  const scanner = new MarkerScanner(MARKER);
  assert.equal(Buffer.from(scanner.push(Buffer.from('progress 50%')).data).toString(), 'progress 50%');
  assert.equal(Buffer.from(scanner.push(Buffer.from('\x1eib')).data).toString(), '');
  assert.equal(Buffer.from(scanner.push(Buffer.from('is')).data).toString(), '\x1eibis');
});
