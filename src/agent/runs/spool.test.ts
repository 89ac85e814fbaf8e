import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readStreamEnd, SpoolReader } from './spool-reader.js';
import { SPOOL_TAIL_BYTES, SpoolWriter, type SpoolSource } from './spool-writer.js';

function spoolPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-spool-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'stdout');
}

/** Bytes that tell their position. */
function pattern(length: number, from = 0): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (from + i) % 251));
}

test('keeps a stream whole below its limit, whatever the pieces', (t) => {
  const path = spoolPath(t);
  const spool = new SpoolWriter(path, 1_000);
  for (let at = 0; at < 1_000; at += 100) spool.append(pattern(100, at));
  assert.deepEqual([spool.totalBytes, spool.truncated], [1_000, false]);
  spool.finish();
  spool.close();
  assert.deepEqual(readStreamEnd(path, 1_000, 5_000), pattern(1_000));
  assert.deepEqual(readStreamEnd(path, 1_000, 10), pattern(10, 990));
});

test('beyond the limit the beginning and the last 64 KiB are kept, and disk use is bounded', (t) => {
  const path = spoolPath(t);
  const spool = new SpoolWriter(path, 1_000);
  const total = 1_000_000;
  for (let at = 0; at < total; at += 1_000) spool.append(pattern(1_000, at));
  assert.equal(spool.truncated, true);
  spool.finish();
  spool.close();
  assert.equal(statSync(path).size, 1_000);
  assert.equal(statSync(`${path}.tail`).size, SPOOL_TAIL_BYTES);
  assert.deepEqual(readStreamEnd(path, total, 65_535), pattern(65_535, total - 65_535));
  using reader = new SpoolReader(path);
  const extent = reader.extent(total);
  assert.deepEqual(extent, { headBytes: 1_000, tailStart: total - SPOOL_TAIL_BYTES, totalBytes: total });
  const some = Buffer.alloc(100);
  assert.equal(reader.read(extent, 990, some), 10);
  assert.equal(reader.read(extent, 5_000, some), 0);
  assert.equal(reader.read(extent, extent.tailStart, some), 100);
  assert.deepEqual(some, pattern(100, extent.tailStart));
});

test('a piece that crosses the limit is split there', (t) => {
  const path = spoolPath(t);
  const spool = new SpoolWriter(path, 10);
  spool.append(pattern(25));
  spool.finish();
  spool.close();
  assert.equal(statSync(path).size, 10);
  assert.equal(statSync(`${path}.tail`).size, 15);
  assert.deepEqual(readStreamEnd(path, 25, 100), pattern(25));
});

test('another writer goes on where the first one was cut off', (t) => {
  const path = spoolPath(t);
  new SpoolWriter(path).append(pattern(10));
  const second = new SpoolWriter(path);
  second.append(pattern(5, 10));
  assert.equal(second.totalBytes, 15);
  second.finish();
  second.close();
  assert.deepEqual(readStreamEnd(path, 15, 100), pattern(15));
});

test('a growing stream is read as far as it is', (t) => {
  const path = spoolPath(t);
  using reader = new SpoolReader(path);
  assert.equal(reader.extent(undefined).totalBytes, 0);
  const spool = new SpoolWriter(path);
  spool.append(pattern(7));
  assert.equal(reader.extent(undefined).totalBytes, 7);
  spool.finish();
  spool.close();
});

/** Hands out its bytes; `refuses` stands for a full disk. */
class Source {
  readonly #bytes: Buffer;
  readonly #refuses: boolean;
  #at = 0;

  constructor(bytes: Buffer, refuses: boolean) {
    this.#bytes = bytes;
    this.#refuses = refuses;
  }

  moveTo(file: number, position: number, mostBytes: number): number {
    if (this.#refuses) throw new Error('no space');
    const moved = writeSync(file, this.#bytes.subarray(this.#at, this.#at + mostBytes), 0, undefined, position);
    this.#at += moved;
    return moved;
  }

  read(into: Uint8Array): number {
    const length = this.#bytes.copy(into, 0, this.#at);
    this.#at += length;
    return length;
  }
}

function takeAll(spool: SpoolWriter, source: Source): void {
  while (spool.take(source, 700) > 0);
}

test('taken from a source, a stream is the same as appended: whole, and beyond the limit', (t) => {
  for (const limit of [5_000, 1_000]) {
    const path = spoolPath(t);
    const spool = new SpoolWriter(path, limit);
    takeAll(spool, new Source(pattern(5_000), false));
    spool.finish();
    spool.close();
    assert.deepEqual([spool.totalBytes, spool.truncated], [5_000, limit < 5_000]);
    assert.deepEqual(readStreamEnd(path, 5_000, 4_000), pattern(4_000, 1_000));
  }
});

test('a disk that refuses: all is counted, and what was kept before can be read', (t) => {
  const path = spoolPath(t);
  const spool = new SpoolWriter(path);
  spool.append(pattern(300));
  takeAll(spool, new Source(pattern(2_000, 300), true));
  assert.deepEqual([spool.totalBytes, spool.truncated], [2_300, true]);
  spool.close();
  // Without finish() there is no end on disk, as if that had been refused too.
  assert.deepEqual(readStreamEnd(path, 2_300, 100), pattern(100, 200));
});

test('something else in the spool’s place is a disk that refuses', (t) => {
  const path = spoolPath(t);
  mkdirSync(path);
  const spool = new SpoolWriter(path);
  spool.append(pattern(10));
  spool.finish();
  spool.close();
  assert.deepEqual([spool.totalBytes, spool.truncated], [10, true]);
});

test('taken over at its limit, a stream counts as truncated: what came after nobody knows', (t) => {
  const path = spoolPath(t);
  new SpoolWriter(path, 100).append(pattern(150));
  assert.equal(new SpoolWriter(path, 100).truncated, true);
});

test('after bytes that the disk refused, whoever goes on with the spool leaves a stream that is marked cut', (t) => {
  const path = spoolPath(t);
  let room = 3;
  const pipe = (text: string): SpoolSource => ({
    moveTo: (file, position, mostBytes) => {
      if (mostBytes > room) throw new Error('ENOSPC');
      room -= mostBytes;
      return writeSync(file, text, position);
    },
    read: (into) => Buffer.from(text).copy(into),
  });
  const killed = new SpoolWriter(path);
  assert.equal(killed.take(pipe('abc'), 3), 3);
  assert.equal(killed.take(pipe('def'), 3), 3);
  room = 100;
  const next = new SpoolWriter(path);
  assert.equal(next.truncated, true);
  next.take(pipe('ghi'), 3);
  next.finish();
  assert.equal(next.truncated, true);
  assert.equal(readFileSync(path, 'utf8'), 'abc');
  assert.equal(readFileSync(`${path}.tail`, 'utf8'), 'ghi');
  for (const spool of [killed, next]) spool.close();
});
