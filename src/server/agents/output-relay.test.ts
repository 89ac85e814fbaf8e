import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutputRelay } from './output-relay.js';
import type { WatchSink } from './session-watches.js';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { TestServer } from '../testing/test-server.js';

test('the API shows what a running script has written so far', async () => {
  await using server = await TestServer.start();
  using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  const id = await server.createTask(['web-01']);
  const run = await agent.next('assign');
  const answers: unknown[] = [];
  for (const what of ['stdout', 'stderr', 'host/web-01/stdout', 'stdout.json']) {
    const asked = server.call('GET', `/task/${id}/${what}`);
    const { watch, ...request } = await agent.next('watch');
    assert.deepEqual(request, {
      t: 'watch',
      taskId: id,
      clock: run.clock,
      stdoutFrom: -65_535,
      stderrFrom: -65_535,
      follow: false,
      creditBytes: 131_070,
    });
    // The first byte is the rest of a character, the last ones the beginning of one.
    agent.sendRaw(outputFrame(watch, [0xbd, ...Buffer.from('好\n'), 0xe5, 0xa5]));
    agent.output(watch, 'stderr', 0, 'oops');
    agent.send({ t: 'watch-end', watch, outcome: 'current', stdoutBytes: 7, stderrBytes: 4 });
    answers.push((await asked).dat);
  }
  const row = { id, host: 'web-01', status: 'running', stdout: '', stderr: '' };
  assert.deepEqual(answers, [
    [{ ...row, stdout: '好\n' }],
    [{ ...row, stderr: 'oops' }],
    '好\n',
    [{ host: 'web-01', stdout: '好\n' }],
  ]);
});

test('equal questions at the same time are asked once and share the answer', async () => {
  const sinks: WatchSink[] = [];
  const registry = {
    watch: (_host: string, _request: unknown, sink: WatchSink) => {
      sinks.push(sink);
      return { credit: () => undefined, [Symbol.dispose]: () => undefined };
    },
  };
  const relay = new OutputRelay(registry);
  const run = { taskId: 7, clock: 1 };
  const asked = [relay.current('web-01', run, 100, 10_000), relay.current('web-01', run, 100, 10_000)];
  const other = relay.current('web-02', run, 100, 10_000);
  assert.equal(sinks.length, 2);
  for (const sink of sinks) {
    sink.output({ t: 'output', channel: 1, stream: 'stdout', offset: 0, data: Buffer.from('x') });
    sink.end({ t: 'watch-end', watch: 1, outcome: 'current', stdoutBytes: 1, stderrBytes: 0 });
  }
  const answer = { stdout: 'x', stderr: '' };
  assert.deepEqual(await Promise.all([...asked, other]), [answer, answer, answer]);
});

test('an agent that does not answer, or leaves, costs a second at most and shows what is stored', async () => {
  await using server = await TestServer.start();
  using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  const id = await server.createTask(['web-01']);
  await agent.next('assign');
  assert.equal((await server.call('GET', `/task/${id}/host/web-01/stdout`)).dat, '');
  await agent.next('watch');
  await agent.next('unwatch');
  const leaving = server.call('GET', `/task/${id}/host/web-01/stdout`);
  await agent.next('watch');
  agent[Symbol.dispose]();
  assert.equal((await leaving).dat, '');
});

function outputFrame(watch: number, bytes: readonly number[]): Uint8Array {
  const header = Buffer.alloc(16);
  header.writeUInt8(1, 0);
  header.writeUInt8(1, 1);
  header.writeUInt32BE(watch, 4);
  header.writeBigUInt64BE(100n, 8);
  return Buffer.concat([header, Buffer.from(bytes)]);
}
