import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeOutput, encodeResult } from '../../shared/protocol/binary-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { StoreError, UnreadableTaskError } from '../store/store.js';
import { RESULT, RUN, SessionBench, settled } from './testing/session-bench.js';

test('the opening goes hello, challenge, proof, welcome, runs; a list in parts is one list', async () => {
  const bench = new SessionBench();
  bench.admission = Promise.resolve({ admitted: true, newStore: true });
  await bench.hello();
  assert.deepEqual(bench.types(), ['challenge']);
  await bench.prove();
  assert.deepEqual(bench.types(), ['challenge', 'welcome']);
  bench.say({ t: 'runs', runs: [{ ...RUN, state: 'running' }], last: false });
  assert.equal(bench.session.ready, false);
  bench.say({ t: 'runs', runs: [{ taskId: 8, clock: 1, state: 'ended' }], last: true });
  assert.equal(bench.session.ready, true);
  assert.deepEqual(bench.listed, [
    {
      runs: [
        { ...RUN, state: 'running' },
        { taskId: 8, clock: 1, state: 'ended' },
      ],
      newStore: true,
    },
  ]);
  assert.equal(bench.session.holds(RUN), true);
  assert.equal(bench.session.holds({ taskId: 8, clock: 1 }), false);
});

test('a proof signed as the other end, or with another key, closes the session', async () => {
  const asServer = new SessionBench();
  await asServer.hello();
  await asServer.prove('server');
  assert.equal(asServer.closedWith?.code, CloseCode.badProof);

  const mixed = new SessionBench();
  await mixed.hello();
  const other = new SessionBench();
  await other.hello();
  mixed.sent.splice(0, 1, ...other.sent);
  await mixed.prove();
  assert.equal(mixed.closedWith?.code, CloseCode.badProof, 'a challenge of another session does not count');
});

test('frames that do not wait for their turn in the opening break the protocol', async () => {
  const eager = new SessionBench();
  void eager.hello();
  eager.say({ t: 'proof', proof: Buffer.alloc(64).toString('base64url') });
  assert.equal(eager.closeCode(), CloseCode.badFrame);

  const impatient = new SessionBench();
  await impatient.hello();
  void impatient.prove();
  impatient.say({ t: 'runs', runs: [], last: true });
  assert.equal(impatient.closeCode(), CloseCode.badFrame);
});

test('a session that ends while its keys are at work stays ended, and says nothing more', async () => {
  for (const end of ['hello', 'proof']) {
    const bench = new SessionBench();
    const helloAnswer = bench.hello();
    if (end === 'proof') {
      await helloAnswer;
      void bench.prove();
    }
    bench.sent.length = 0;
    bench.session.socketClosed();
    // The pool does its work in order: when a later opening has been answered, the earlier one would have been.
    await new SessionBench().open();
    assert.deepEqual([bench.sent, bench.closedWith, bench.session.closed], [[], undefined, true]);
  }
});

test('an agent of another version, and one that is not admitted, are told so', async () => {
  const bench = new SessionBench();
  await bench.hello([2, 3]);
  assert.equal(bench.closeCode(), CloseCode.version);

  const refused = new SessionBench();
  refused.admission = Promise.resolve({ admitted: false, closeCode: CloseCode.notAdmitted, why: 'another key' });
  await refused.hello();
  await refused.prove();
  assert.deepEqual(refused.closedWith, { code: CloseCode.notAdmitted, reason: 'another key' });
});

test('a result is acknowledged after its commit, and the same one again meanwhile is passed over', async () => {
  const bench = await new SessionBench().open([{ ...RUN, state: 'running' }]);
  const bytes = encodeResult(RESULT);
  bench.session.receiveBinary(bytes);
  bench.session.receiveBinary(encodeResult(RESULT));
  bytes.fill(0); // as uWS does after its handler
  assert.equal(bench.results.length, 1);
  assert.equal(Buffer.from(bench.results[0]?.result.stdout ?? []).toString(), 'hi');
  assert.equal(bench.session.holds(RUN), false);
  assert.deepEqual(bench.sent, []);
  bench.results[0]?.settle('stored');
  await settled();
  assert.deepEqual(bench.sent, [{ t: 'result-ack', ...RUN, outcome: 'stored' }]);
});

test('a result that could not be stored is not acknowledged, and its session ends so that it comes again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bench = await new SessionBench().open();
  bench.session.receiveBinary(encodeResult(RESULT));
  bench.results[0]?.settle(new StoreError('no answer'));
  await settled();
  t.mock.timers.tick(1_000);
  assert.deepEqual(bench.sent, []);
  assert.equal(bench.closeCode(), CloseCode.internal);
});

test('a result of a task that makes no sense comes again only much later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bench = await new SessionBench().open();
  bench.expected = [RUN];
  bench.session.receiveBinary(encodeResult(RESULT));
  bench.results[0]?.settle(new UnreadableTaskError('no such status'));
  await settled();
  for (let i = 0; i < 9; i++) bench.beat(0, []);
  assert.deepEqual(bench.types(), [], 'there is nothing that the agent could say to it');
  t.mock.timers.tick(59_000);
  assert.equal(bench.closeCode(), undefined);
  t.mock.timers.tick(1_000);
  assert.equal(bench.closeCode(), CloseCode.internal);
});

test('more than 32 results without their acks break the protocol', async () => {
  const bench = await new SessionBench().open();
  for (let i = 1; i <= 32; i++) bench.session.receiveBinary(encodeResult({ ...RESULT, taskId: i }));
  assert.equal(bench.closeCode(), undefined);
  bench.session.receiveBinary(encodeResult({ ...RESULT, taskId: 33 }));
  assert.equal(bench.closeCode(), CloseCode.badFrame);
});

test('heartbeats that differ twice in a row make the server ask for the list; one that differs does not', async () => {
  const bench = await new SessionBench().open();
  bench.expected = [RUN];
  bench.beat(0, []);
  bench.beat(0, [RUN]);
  bench.beat(0, []);
  assert.deepEqual(bench.types(), []);
  bench.beat(0, []);
  assert.deepEqual(bench.types(), ['list']);
  bench.say({ t: 'runs', runs: [], last: true });
  assert.deepEqual(bench.listed.at(-1), { runs: [], newStore: false });
});

test('heartbeats that differ each in another way are a busy agent, for a while', async () => {
  const bench = await new SessionBench().open();
  const other = { taskId: 8, clock: 1_000 };
  bench.beat(0, [RUN]);
  // Another server's run, that has ended by the time it is known here.
  bench.expected = [RUN];
  bench.beat(0, []);
  bench.beat(0, [other]);
  assert.deepEqual(bench.types(), []);
  bench.expected = [RUN, other];
  bench.beat(0, []);
  assert.deepEqual(bench.types(), ['list']);
});

test('a heartbeat tells which of the runs that the agent should have it has', async () => {
  const bench = await new SessionBench().open();
  bench.expected = [RUN];
  bench.beat(0, []);
  assert.equal(bench.session.holds(RUN), false);
  bench.beat(0, [RUN]);
  assert.equal(bench.session.holds(RUN), true);
  bench.expected = [];
  bench.beat(0, []);
  assert.equal(bench.session.holds(RUN), false);
});

test('runs that were assigned after a heartbeat was written are not compared, nor those being stored', async () => {
  const bench = await new SessionBench().open();
  bench.expected = [RUN];
  bench.session.assign(Buffer.from('{}'));
  bench.sent.length = 0;
  for (let i = 0; i < 4; i++) bench.beat(0, []);
  bench.session.receiveBinary(encodeResult(RESULT));
  for (let i = 0; i < 4; i++) bench.beat(1, []);
  assert.deepEqual(bench.types(), []);
});

test('one heartbeat in a few is answered, and none while other frames go out', async () => {
  const bench = await new SessionBench().open();
  const answers = [];
  for (let beat = 1; beat <= 6; beat++) {
    bench.nowMs = beat * 1_000;
    bench.beat(0, []);
    answers.push(bench.types().length);
  }
  assert.deepEqual(answers, [0, 1, 1, 2, 2, 3]);
  bench.nowMs = 7_900;
  bench.session.kill(RUN);
  bench.sent.length = 0;
  bench.nowMs = 8_000;
  bench.beat(0, []);
  assert.deepEqual(bench.types(), []);
});

test('silence of three intervals, and never less than three seconds, ends a session', async () => {
  const bench = await new SessionBench().open();
  bench.say({ t: 'heartbeat', assigns: 0, runs: 0, digest: '0', intervalMs: 100 });
  bench.session.checkSilence(3_000);
  assert.equal(bench.closeCode(), undefined);
  bench.session.checkSilence(3_001);
  assert.equal(bench.closeCode(), CloseCode.silent);
});

test('an opening that takes ten seconds is ended', async () => {
  const bench = new SessionBench();
  await bench.hello();
  bench.session.checkSilence(10_000);
  assert.equal(bench.closeCode(), undefined);
  bench.session.checkSilence(10_001);
  assert.equal(bench.closeCode(), CloseCode.silent);
});

test('a dropped frame ends the session', async () => {
  const bench = await new SessionBench().open();
  bench.drops = true;
  bench.session.kill(RUN);
  assert.equal(bench.session.closed, false, 'not while its caller is still at work');
  await Promise.resolve();
  assert.equal(bench.closeCode(), CloseCode.overload);
  assert.equal(bench.session.closed, true);
});

test('a watch gets output up to its credit; more breaks the protocol, and the end of the session is told', async () => {
  const bench = await new SessionBench().open();
  const seen: string[] = [];
  const request = { ...RUN, stdoutFrom: 0, stderrFrom: null, follow: true, creditBytes: 4 };
  const watch = bench.session.watch(request, {
    output: ({ offset, data }) => seen.push(`${offset} ${Buffer.from(data).toString()}`),
    end: () => seen.push('end'),
    lost: () => seen.push('lost'),
  });
  assert.deepEqual(bench.sent, [{ t: 'watch', watch: 1, ...request }]);
  const output = (offset: number, text: string): void =>
    bench.session.receiveBinary(encodeOutput({ channel: 1, stream: 'stdout', offset, data: Buffer.from(text) }));
  output(0, 'abcd');
  watch.credit(2);
  output(4, 'ef');
  assert.equal(bench.closeCode(), undefined);
  output(6, 'g');
  assert.equal(bench.closeCode(), CloseCode.badFrame);
  assert.deepEqual(seen, ['0 abcd', '4 ef', 'lost']);
});

test('a watch that was given up hears nothing more', async () => {
  const bench = await new SessionBench().open();
  const request = { ...RUN, stdoutFrom: 0, stderrFrom: 0, follow: true, creditBytes: 4 };
  const fail = (): never => assert.fail('called after the watch was given up');
  const watch = bench.session.watch(request, { output: fail, end: fail, lost: fail });
  watch[Symbol.dispose]();
  watch[Symbol.dispose]();
  assert.deepEqual(bench.types(), ['watch', 'unwatch']);
  bench.session.receiveBinary(encodeOutput({ channel: 1, stream: 'stdout', offset: 0, data: Buffer.from('x') }));
  bench.say({ t: 'watch-end', watch: 1, outcome: 'current', stdoutBytes: 1, stderrBytes: 0 });
  bench.session.close(CloseCode.normal, '');
});
