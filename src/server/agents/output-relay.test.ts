import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { TestServer } from '../testing/test-server.js';

test('the API shows what a running script has written so far, and asks for equal questions once', async () => {
  await using server = await TestServer.start();
  using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  const id = await server.createTask(['web-01']);
  const run = await agent.next('assign');
  const asked = ['stdout', 'stderr', 'host/web-01/stdout', 'stdout.json'].map((what) =>
    server.call('GET', `/task/${id}/${what}`),
  );
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
  const row = { id, host: 'web-01', status: 'running', stdout: '', stderr: '' };
  const answers = (await Promise.all(asked)).map(({ dat }) => dat);
  assert.deepEqual(answers, [
    [{ ...row, stdout: '好\n' }],
    [{ ...row, stderr: 'oops' }],
    '好\n',
    [{ host: 'web-01', stdout: '好\n' }],
  ]);
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
