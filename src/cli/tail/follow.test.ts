import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import type { TailStatusFrame, TailTaskFrame } from '../../shared/protocol/tail-frames.js';
import { FakeTailServer } from './testing/fake-tail-server.js';
import { follow, type FollowOptions } from './follow.js';
import { OutputStream } from './output-stream.js';
import { RawViewer } from './raw-viewer.js';
import { TextViewer } from './text-viewer.js';

const TASK: TailTaskFrame = {
  t: 'task',
  version: 1,
  taskId: 7,
  title: 'x FH: web-01',
  hosts: [{ channel: 4, host: 'web-01' }],
  creditBytes: 65_536,
};

function status(value: 'running' | 'success', clock = 100): TailStatusFrame {
  return {
    t: 'status',
    channel: 4,
    status: value,
    clock,
    exitCode: value === 'success' ? 0 : null,
    reason: null,
    startBeforeMs: null,
  };
}

const PIPES = { oneScreen: false, terminal: false, call: () => 'CALL', nowMs: () => 0 };

function setUp(server: FakeTailServer, raw = true) {
  const out = new PassThrough({ highWaterMark: 1_024 });
  const err = new PassThrough();
  const stdout = new OutputStream(out);
  const stderr = new OutputStream(err);
  const options: FollowOptions = {
    server: server.address,
    taskId: 7,
    hosts: [],
    viewer: raw ? new RawViewer(stdout, stderr) : new TextViewer(stdout, stderr, PIPES),
    patient: false,
    endAtPause: true,
    signal: stdout.broken,
  };
  const read = (stream: PassThrough) => {
    const data: unknown = stream.read();
    return Buffer.isBuffer(data) ? data.toString() : '';
  };
  return { options, out, stdout: () => read(out), stderr: () => read(err) };
}

test('asks for the task, shows it, gives credit for what was shown, ends with the end frame', async () => {
  await using server = await FakeTailServer.start();
  const { options, stdout } = setUp(server);
  const following = follow({ ...options, hosts: ['web-01'] });
  const tail = await server.connection();
  assert.deepEqual(await tail.next(), { t: 'tail', versions: [2, 1], taskId: 7, hosts: ['web-01'], from: [] });
  tail.send(TASK, status('running'));
  tail.output(4, 'stdout', 0, 'hello\n');
  assert.deepEqual(await tail.next(), { t: 'credit', channel: 4, bytes: 6 });
  tail.send(status('success'), { t: 'end', ok: true });
  assert.deepEqual(await following, { ok: true, paused: false, incomplete: false });
  assert.equal(stdout(), 'hello\n');
});

test('a broken connection goes on at the byte reached, with nothing lost or shown twice', async () => {
  await using server = await FakeTailServer.start();
  const { options, stdout, stderr } = setUp(server, false);
  const following = follow(options);
  const first = await server.connection();
  await first.next();
  first.send(TASK, status('running'));
  first.output(4, 'stdout', 0, 'one\nt');
  first.output(4, 'stderr', 0, 'e\n');
  await first.next();
  await first.next();
  first.break();

  const second = await server.connection();
  const again = await second.next();
  assert.deepEqual(again.t === 'tail' ? again.from : undefined, [{ host: 'web-01', clock: 100, stdout: 5, stderr: 2 }]);
  // Another channel, and bytes from before the break: both are the server's right.
  second.send({ ...TASK, hosts: [{ channel: 9, host: 'web-01' }] }, { ...status('running'), channel: 9 });
  second.output(9, 'stdout', 3, '\ntwo\n');
  second.send({ ...status('success'), channel: 9 }, { t: 'end', ok: true });
  assert.deepEqual(await following, { ok: true, paused: false, incomplete: false });
  assert.equal(stdout(), 'web-01 | one\nweb-01 | two\n');
  assert.equal(
    stderr(),
    'ibex: task 7 on web-01: x FH: web-01\nibex: web-01: running\nweb-01 ! e\n' +
      `ibex: lost the connection to ${server.address.origin}, reconnecting\n` +
      `ibex: connected to ${server.address.origin} again\n` +
      'ibex: web-01: success, exit 0\n',
  );
});

test('no credit for bytes that standard output has not taken', async () => {
  await using server = await FakeTailServer.start();
  const { options, out } = setUp(server);
  const following = follow(options);
  const tail = await server.connection();
  await tail.next();
  tail.send(TASK, status('running'));
  const chunk = 'x'.repeat(60_000);
  tail.output(4, 'stdout', 0, chunk);
  tail.output(4, 'stdout', 60_000, chunk);
  // Nobody reads `out` yet; its buffer is full with the first chunk.
  const credit = tail.next();
  const early = await Promise.race([credit, new Promise((resolve) => setTimeout(resolve, 200))]);
  assert.equal(early, undefined);
  out.resume();
  assert.deepEqual(await credit, { t: 'credit', channel: 4, bytes: 60_000 });
  assert.deepEqual(await tail.next(), { t: 'credit', channel: 4, bytes: 60_000 });
  tail.send({ t: 'end', ok: true });
  await following;
});

test('a new clock begins the output again', async () => {
  await using server = await FakeTailServer.start();
  const { options, stdout } = setUp(server);
  const following = follow(options);
  const tail = await server.connection();
  await tail.next();
  tail.send(TASK, status('running', 100));
  tail.output(4, 'stdout', 0, 'first\n');
  tail.send(status('running', 101));
  tail.output(4, 'stdout', 0, 'again\n');
  tail.send({ t: 'end', ok: false });
  assert.deepEqual(await following, { ok: false, paused: false, incomplete: false });
  assert.equal(stdout(), 'first\nagain\n');
});

test('a gap is told and remembered', async () => {
  await using server = await FakeTailServer.start();
  const { options, stdout, stderr } = setUp(server);
  const following = follow(options);
  const tail = await server.connection();
  await tail.next();
  tail.send(TASK, status('success'), { t: 'gap', channel: 4, stream: 'stdout', from: 0, to: 1_000, kept: false });
  tail.output(4, 'stdout', 1_000, 'end\n');
  tail.send({ t: 'end', ok: true });
  assert.deepEqual(await following, { ok: true, paused: false, incomplete: true });
  assert.equal(stdout(), 'end\n');
  assert.equal(stderr(), 'ibex: web-01: 1000 bytes of stdout are missing here (from byte 0)\n');
});

test('a wrong password, an unknown task and a dead server are told apart, and end it at once', async () => {
  const server = await FakeTailServer.start();
  const { options } = setUp(server);
  await assert.rejects(
    follow({ ...options, server: { ...server.address, authorization: 'Basic eDp5' } }),
    /refuses user ibex: wrong user or password/,
  );
  const following = follow(options);
  const tail = await server.connection();
  await tail.next();
  tail.close(CloseCode.notFound, 'no task 7');
  await assert.rejects(following, /^UserError: no task 7$/);
  await server[Symbol.asyncDispose]();
  await assert.rejects(follow(options), /no answer from http:\/\/127.0.0.1:\d+: nothing listens there/);
});

test('frames that no server should send end it', async () => {
  await using server = await FakeTailServer.start();
  const { options } = setUp(server);
  const following = follow(options);
  const tail = await server.connection();
  await tail.next();
  tail.send(TASK);
  tail.output(5, 'stdout', 0, 'x');
  await assert.rejects(following, /no host has channel 5/);
});
