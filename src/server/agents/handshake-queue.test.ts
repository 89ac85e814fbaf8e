import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandshakeQueue } from './handshake-queue.js';

/** Jobs that end when a test says so. */
class Bench {
  nowMs = 0;
  readonly work = new HandshakeQueue(() => this.nowMs);
  readonly begun: string[] = [];
  readonly #ends: (() => void)[] = [];

  /** Returns the session that it is for. */
  challenge(name: string): object {
    const session = {};
    this.work.challenge(session, () => this.#begin(name));
    return session;
  }

  check(session: object, name: string): void {
    this.work.check(session, () => this.#begin(name));
  }

  /** Ends the jobs that began first. */
  async end(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#ends.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #begin(name: string): Promise<void> {
    this.begun.push(name);
    return new Promise((resolve) => this.#ends.push(resolve));
  }
}

test('a bounded number of jobs runs at once, and all have their turn', async () => {
  const bench = new Bench();
  for (let i = 0; i < 100; i++) bench.challenge(`${i}`);
  assert.equal(bench.begun.length, 8);
  await bench.end(100);
  assert.deepEqual(bench.begun.map(Number), [...Array(100).keys()]);
});

test('checks come before challenges, and sessions that have ended do not come at all', async () => {
  const bench = new Bench();
  const sessions = [...Array(40).keys()].map((i) => bench.challenge(`challenge ${i}`));
  const [first = {}, second = {}, third = {}] = sessions;
  bench.check(first, 'check 0');
  bench.check(second, 'check 1');
  bench.check(third, 'check 2');
  bench.work.forget(second);
  bench.work.forget(sessions[8] ?? {});
  await bench.end(3);
  assert.deepEqual(bench.begun.slice(8), ['check 0', 'check 2', 'challenge 9']);
});

test('no more openings are begun while too many wait for their proof, unless those take too long', async () => {
  const bench = new Bench();
  const sessions = [...Array(2_060).keys()].map((i) => bench.challenge(`${i}`));
  await bench.end(2_060);
  assert.equal(bench.begun.length, 2_048);
  bench.check(sessions[5] ?? {}, 'check');
  bench.work.forget(sessions[6] ?? {});
  bench.work.start();
  assert.deepEqual(bench.begun.slice(2_048), ['check', '2048', '2049']);
  bench.nowMs = 1_000;
  bench.work.start();
  await bench.end(20);
  assert.equal(bench.begun.length, 2_061, 'all of them');
});
