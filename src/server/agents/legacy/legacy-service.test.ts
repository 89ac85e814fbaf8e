import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedViewer } from '../../testing/scripted-viewer.js';
import { TestServer } from '../../testing/test-server.js';
import { FaithfulAgent } from './testing/faithful-agent.js';
import { running, statusOf, textOf } from './testing/legacy-server.js';
import { RpcClient } from './testing/rpc-client.js';

test('what a running script prints is shown by the API as it comes', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await running(agent, id);
  agent.print(id, 'one\n');
  await agent.beat();
  assert.equal(await textOf(server, id, 'a'), 'one\n');
  agent.print(id, 'two\n');
  await agent.beat();
  assert.equal(await textOf(server, id, 'a'), 'one\ntwo\n');
});

test('ibex tail shows what a running script prints, and at its end the rest', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await running(agent, id);
  using viewer = await ScriptedViewer.tail(server.httpPort, id);
  await viewer.next('status');
  agent.print(id, 'one\n');
  await agent.beat();
  const first = await viewer.next('output');
  assert.deepEqual([first.offset, Buffer.from(first.data).toString()], [0, 'one\n']);
  agent.print(id, 'two\n');
  agent.end(id, 'success');
  await agent.beat();
  const second = await viewer.next('output');
  assert.deepEqual([second.offset, Buffer.from(second.data).toString()], [4, 'two\n']);
  assert.deepEqual(await viewer.next('end'), { t: 'end', ok: true });
});

test('a script is given on a fresh connection too, and counts for the agent that names itself there', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  await agent.beat();
  const id = await server.createTask(['a']);
  agent.breakAtScript = 'before';
  await agent.beat();
  await agent.beatUntil('a start', () => agent.runs(id));
  await running(agent, id);
  await server.call('PUT', `/task/${id}/action`, { action: 'kill' });
  await agent.beatUntil('the end', async () => (await statusOf(server, id, 'a')) === 'killed', 5);
  assert.equal(agent.starts.length, 1);
});

test('nobody gets the script of a task that is not for it', async () => {
  await using server = await TestServer.start();
  const id = await server.createTask(['a'], { script: 'secret' });
  using stranger = await RpcClient.open(server.agentPort);
  for (const asked of [id, id + 1, -1]) {
    assert.doesNotMatch(JSON.stringify(await stranger.call('Server.GetTaskMeta', asked)), /secret/);
  }
  await stranger.call('Server.Report', { Ident: 'b', ReportTasks: [] });
  assert.doesNotMatch(JSON.stringify(await stranger.call('Server.GetTaskMeta', id)), /secret/);
});

test('an agent without an interval is slowed down, and the others are not', async () => {
  await using server = await TestServer.start();
  using hasty = await RpcClient.open(server.agentPort);
  using agent = new FaithfulAgent('a', server.agentPort);
  const began = performance.now();
  let reports = 0;
  while (performance.now() - began < 1_000) {
    await hasty.call('Server.Report', { Ident: 'hasty', ReportTasks: [] });
    reports++;
  }
  assert.ok(reports <= 20, `${reports} reports in a second`);
  await agent.beat();
  assert.equal(agent.message, '');
});
