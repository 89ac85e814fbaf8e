import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AssignFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { ScriptedViewer } from '../testing/scripted-viewer.js';
import { TestServer } from '../testing/test-server.js';

const WINDOW = 1024 * 1024;

interface Stage extends AsyncDisposable {
  readonly server: TestServer;
  readonly agent: ScriptedAgent;
  readonly taskId: number;
  readonly run: AssignFrame;
}

/** A server and an agent that has been given a task and says that it runs. */
async function stage(hosts: readonly string[] = ['web-01']): Promise<Stage> {
  const server = await TestServer.start();
  const agent = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  const taskId = await server.createTask(hosts);
  const run = await agent.next('assign');
  agent.send({ t: 'started', taskId, clock: run.clock, startedMs: Date.now() });
  const end = async (): Promise<void> => {
    agent[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  };
  return { server, agent, taskId, run, [Symbol.asyncDispose]: end };
}

async function outputText(viewer: ScriptedViewer): Promise<string> {
  const { stream, offset, data } = await viewer.next('output');
  return `${stream} ${offset} ${Buffer.from(data).toString()}`;
}

test('a running host is shown live, then its end, and the tail ends', async () => {
  await using at = await stage();
  using viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId);
  assert.deepEqual(await viewer.next('task'), {
    t: 'task',
    version: 1,
    taskId: at.taskId,
    title: 'test FH: web-01',
    hosts: [{ channel: 0, host: 'web-01' }],
    creditBytes: WINDOW,
  });
  assert.partialDeepStrictEqual(await viewer.next('status'), { channel: 0, status: 'running', clock: at.run.clock });
  const { watch, ...asked } = await at.agent.next('watch');
  assert.partialDeepStrictEqual(asked, {
    clock: at.run.clock,
    stdoutFrom: 0,
    stderrFrom: 0,
    follow: true,
    creditBytes: WINDOW,
  });
  at.agent.output(watch, 'stdout', 0, 'one\n');
  at.agent.output(watch, 'stderr', 0, 'oops\n');
  assert.equal(await outputText(viewer), 'stdout 0 one\n');
  assert.equal(await outputText(viewer), 'stderr 0 oops\n');

  at.agent.result(at.run, {
    status: 'failed',
    exitCode: 3,
    stdout: Buffer.from('one\n'),
    stderr: Buffer.from('oops\n'),
  });
  assert.partialDeepStrictEqual(await viewer.next('status'), { status: 'failed', exitCode: 3 });
  at.agent.send({ t: 'watch-end', watch, outcome: 'complete', stdoutBytes: 4, stderrBytes: 5 });
  assert.deepEqual(await viewer.next('end'), { t: 'end', ok: false });
  assert.equal((await viewer.closed).code, CloseCode.normal);
});

test('an agent gets credit as its viewer gives it, not before', async () => {
  await using at = await stage();
  using viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId);
  const { watch } = await at.agent.next('watch');
  const piece = 'x'.repeat(64 * 1024);
  for (let offset = 0; offset < WINDOW; offset += piece.length) at.agent.output(watch, 'stdout', offset, piece);
  for (let offset = 0; offset < WINDOW; offset += piece.length)
    assert.equal((await viewer.next('output')).offset, offset);
  viewer.send({ t: 'credit', channel: 0, bytes: 1_000 });
  assert.deepEqual(await at.agent.next('credit'), { t: 'credit', watch, bytes: 1_000 });
});

test('bytes that the agent no longer has are a gap, also those that are missing at the end', async () => {
  await using at = await stage();
  using viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId);
  const { watch } = await at.agent.next('watch');
  at.agent.output(watch, 'stdout', 100, 'late');
  assert.deepEqual(await viewer.next('gap'), { t: 'gap', channel: 0, stream: 'stdout', from: 0, to: 100, kept: false });
  assert.equal(await outputText(viewer), 'stdout 100 late');
  at.agent.send({ t: 'watch-end', watch, outcome: 'complete', stdoutBytes: 110, stderrBytes: 0 });
  assert.deepEqual(await viewer.next('gap'), {
    t: 'gap',
    channel: 0,
    stream: 'stdout',
    from: 104,
    to: 110,
    kept: false,
  });
});

test('a viewer that comes back goes on from where it was', async () => {
  await using at = await stage();
  const from = [{ host: 'web-01', clock: at.run.clock, stdout: 7, stderr: 2 }];
  using viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId, { from });
  const { watch, ...asked } = await at.agent.next('watch');
  assert.partialDeepStrictEqual(asked, { stdoutFrom: 7, stderrFrom: 2 });
  at.agent.output(watch, 'stdout', 7, 'more');
  assert.equal(await outputText(viewer), 'stdout 7 more');

  const older = [{ host: 'web-01', clock: at.run.clock - 5, stdout: 7, stderr: 2 }];
  using _other = await ScriptedViewer.tail(at.server.httpPort, at.taskId, { from: older });
  assert.partialDeepStrictEqual(await at.agent.next('watch'), { stdoutFrom: 0, stderrFrom: 0 });
});

test('an agent that goes away is noted; when it is back its output goes on from the offset reached', async () => {
  await using at = await stage();
  using viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId);
  at.agent.output((await at.agent.next('watch')).watch, 'stdout', 0, 'one');
  assert.equal(await outputText(viewer), 'stdout 0 one');
  at.agent[Symbol.dispose]();
  assert.match((await viewer.next('note')).text, /agent of web-01 is out of reach/);

  const runs = [{ taskId: at.taskId, clock: at.run.clock, state: 'running' }] as const;
  using back = await ScriptedAgent.connect(at.server.agentPort, at.agent.self, { runs });
  const { watch, stdoutFrom } = await back.next('watch');
  assert.equal(stdoutFrom, 3);
  back.output(watch, 'stdout', 3, 'two');
  assert.equal(await outputText(viewer), 'stdout 3 two');
});

test('an ended host whose agent is away is shown from the store, with a gap before what was kept', async () => {
  await using at = await stage();
  const stdout = Buffer.from('y'.repeat(65_535));
  at.agent.result(at.run, { stdout, stdoutBytes: 100_000, stderr: Buffer.from('e') });
  await at.agent.next('result-ack');
  at.agent[Symbol.dispose]();
  await at.agent.closed;
  while (await isConnected(at.server)) await new Promise((resolve) => setImmediate(resolve));

  using viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId);
  assert.partialDeepStrictEqual(await viewer.next('status'), { status: 'success', exitCode: 0 });
  assert.deepEqual(await viewer.next('gap'), {
    t: 'gap',
    channel: 0,
    stream: 'stdout',
    from: 0,
    to: 34_465,
    kept: true,
  });
  const { offset, data } = await viewer.next('output');
  assert.deepEqual([offset, data.length], [34_465, 65_535]);
  assert.equal(await outputText(viewer), 'stderr 0 e');
  assert.deepEqual(await viewer.next('end'), { t: 'end', ok: true });
});

test('an agent that has thrown the output away is replaced by the store', async () => {
  await using at = await stage();
  at.agent.result(at.run, { stdout: Buffer.from('kept') });
  await at.agent.next('result-ack');
  using viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId);
  const { watch } = await at.agent.next('watch');
  at.agent.send({ t: 'watch-end', watch, outcome: 'gone', stdoutBytes: 0, stderrBytes: 0 });
  assert.equal(await outputText(viewer), 'stdout 0 kept');
  await viewer.next('end');
});

test('a redo begins again at 0 under its new clock', async () => {
  await using at = await stage(['web-01', 'web-02']);
  using viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId, { hosts: ['web-01'] });
  at.agent.output((await at.agent.next('watch')).watch, 'stdout', 0, 'first');
  assert.equal(await outputText(viewer), 'stdout 0 first');
  at.agent.result(at.run, { status: 'failed', exitCode: 1 });
  await viewer.next('status');
  assert.partialDeepStrictEqual(await viewer.next('status'), { status: 'failed' });
  await at.server.call('PUT', `/task/${at.taskId}/host/web-01/action`, { action: 'redo' });
  const again = await viewer.next('status');
  assert.equal(again.status, 'running');
  assert.ok(again.clock > at.run.clock);
  const { watch, clock, stdoutFrom } = await at.agent.next('watch');
  assert.deepEqual([clock, stdoutFrom], [again.clock, 0]);
  at.agent.output(watch, 'stdout', 0, 'second');
  assert.equal(await outputText(viewer), 'stdout 0 second');
});

test('a host that is ignored while its script goes on is shown up to there, and the tail ends', async () => {
  await using at = await stage();
  using viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId);
  assert.equal((await at.agent.next('watch')).follow, true);
  await at.server.call('PUT', `/task/${at.taskId}/host/web-01/action`, { action: 'ignore' });
  await at.agent.next('unwatch');
  const { watch, follow } = await at.agent.next('watch');
  assert.equal(follow, false);
  at.agent.output(watch, 'stdout', 0, 'so far');
  at.agent.send({ t: 'watch-end', watch, outcome: 'current', stdoutBytes: 6, stderrBytes: 0 });
  assert.equal(await outputText(viewer), 'stdout 0 so far');
  await viewer.next('end');
});

test('a viewer that leaves frees its watches', async () => {
  await using at = await stage();
  const viewer = await ScriptedViewer.tail(at.server.httpPort, at.taskId);
  const { watch } = await at.agent.next('watch');
  viewer[Symbol.dispose]();
  assert.deepEqual(await at.agent.next('unwatch'), { t: 'unwatch', watch });
});

test('a viewer is told why a task is paused, and that it goes on', async () => {
  await using server = await TestServer.start();
  using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  const taskId = await server.createTask(['web-01', 'web-02'], { batch: 1 });
  using viewer = await ScriptedViewer.tail(server.httpPort, taskId, { versions: [2, 1] });
  assert.partialDeepStrictEqual(await viewer.next('action'), { action: 'start', cause: null });
  agent.result(await agent.next('assign'), { status: 'failed', exitCode: 1 });
  const paused = { action: 'pause', cause: 'tolerance', failed: 1, tolerance: 0, pausedAfter: null };
  assert.deepEqual(await viewer.next('action'), { t: 'action', ...paused });
  await server.call('PUT', `/task/${taskId}/host/web-01/action`, { action: 'ignore' });
  await server.call('PUT', `/task/${taskId}/action`, { action: 'cancel' });
  await viewer.next('end');
});

test('a host without an agent is said to wait, until when', async () => {
  await using server = await TestServer.start();
  const taskId = await server.createTask(['web-01'], { timeout: 60 });
  using viewer = await ScriptedViewer.tail(server.httpPort, taskId, { versions: [2, 1] });
  const { status, startBeforeMs } = await viewer.next('status');
  assert.equal(status, 'running');
  assert.ok((startBeforeMs ?? 0) > Date.now() && (startBeforeMs ?? 0) <= Date.now() + 60_000);
  using _agent = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  assert.partialDeepStrictEqual(await viewer.next('status'), { status: 'running', startBeforeMs: null });
});

test('hosts that never started need no output', async () => {
  await using server = await TestServer.start();
  const taskId = await server.createTask(['a', 'b'], { action: 'pause' });
  using viewer = await ScriptedViewer.tail(server.httpPort, taskId);
  assert.partialDeepStrictEqual(await viewer.next('status'), { channel: 0, status: 'waiting', clock: 0 });
  await server.call('PUT', `/task/${taskId}/action`, { action: 'cancel' });
  assert.deepEqual(await viewer.next('end'), { t: 'end', ok: false });
});

async function isConnected(server: TestServer): Promise<boolean> {
  const { dat } = await server.call('GET', '/hosts');
  return JSON.stringify(dat).includes('"connected":true');
}
