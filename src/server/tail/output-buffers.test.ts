import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { encodeOutput } from '../../shared/protocol/binary-frames.js';
import { OutputBuffers } from './output-buffers.js';

const CHUNK = 64 * 1024;

function frame(bytes: number) {
  return { channel: 3, stream: 'stderr', offset: 70_000_000_000, data: randomBytes(bytes) } as const;
}

test('frames are encoded as everywhere else, whatever was in their buffer before', () => {
  const buffers = new OutputBuffers();
  for (const bytes of [CHUNK, 1, 5_000, CHUNK - 1, 4_079, 4_080, CHUNK, CHUNK + 1, 200_000]) {
    const sent = frame(bytes);
    const encoded = buffers.encode(sent);
    assert.deepEqual(encoded, encodeOutput(sent), `${bytes} bytes`);
    buffers.release(encoded);
  }
});

test('a buffer is used again once it came back, and not before', () => {
  const buffers = new OutputBuffers();
  const first = buffers.encode(frame(CHUNK));
  const second = buffers.encode(frame(CHUNK));
  assert.notEqual(second.buffer, first.buffer);
  buffers.release(first);
  const third = buffers.encode(frame(5_000));
  assert.equal(third.buffer, first.buffer);
  assert.notEqual(buffers.encode(frame(CHUNK)).buffer, first.buffer);
});

test('small frames take no buffer out of those that are used again', () => {
  const buffers = new OutputBuffers();
  const large = buffers.encode(frame(CHUNK));
  buffers.release(large);
  const line = buffers.encode(frame(80));
  buffers.release(line);
  assert.notEqual(line.buffer, large.buffer);
  assert.equal(buffers.encode(frame(CHUNK)).buffer, large.buffer);
});
