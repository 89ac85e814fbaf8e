import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestServer } from '../testing/test-server.js';
import { FaithfulAgent } from './testing/faithful-agent.js';
import { act, hostView, running, statusOf, textOf } from './testing/legacy-server.js';

for (const kind of ['categraf', 'agentd'] as const) {
  test(`${kind}: a task runs once, its result is stored and then forgotten by the agent`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    await agent.beat();
    const id = await server.createTask(['a'], { script: '\uFEFF#!/bin/sh\r\necho hi\r\n' });
    await running(agent, id);
    assert.equal(await statusOf(server, id, 'a'), 'running');
    agent.end(id, 'success', 'hi\n');
    await agent.beat();
    assert.equal(await statusOf(server, id, 'a'), 'success');
    assert.equal(await textOf(server, id, 'a'), 'hi\n');
    assert.deepEqual(agent.report(), []);
    await agent.beat();
    assert.deepEqual(
      agent.starts.map(({ script }) => script),
      ['#!/bin/sh\necho hi\n'],
    );
    const shown = await hostView(server);
    assert.match(shown, /"connected":true/);
    assert.match(shown, new RegExp(`"kind":"${kind}"`));
    assert.match(shown, /"address":"127.0.0.1"/);
  });

  test(`${kind}: a redo waits until the agent has forgotten the run before`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    const id = await server.createTask(['a', 'someone away']);
    await running(agent, id);
    agent.end(id, 'failed');
    await agent.beat();
    await act(server, id, 'a', 'redo');
    await running(agent, id);
    agent.end(id, 'success', 'second');
    await agent.beat();
    assert.equal(agent.starts.length, 2);
    assert.equal(await statusOf(server, id, 'a'), 'success');
  });

  test(`${kind}: a kill between the start of a redo and its first report reaches it`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    const id = await server.createTask(['a', 'someone away']);
    await running(agent, id);
    agent.end(id);
    await agent.beat();
    await act(server, id, 'a', 'redo');
    await agent.beatUntil('the redo', () => agent.starts.length === 2);
    await act(server, id, 'a', 'kill');
    assert.equal(await statusOf(server, id, 'a'), 'killing');
    await agent.beatUntil('the end', async () => (await statusOf(server, id, 'a')) === 'killed', 8);
    assert.equal(agent.runs(id), false);
  });

  test(`${kind}: a script that runs although its status is final is killed: an agent was away when it was over`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    const id = await server.createTask(['a', 'someone away'], { timeout: 1 });
    await running(agent, id);
    await act(server, id, 'a', 'ignore');
    await agent.beatUntil('the kill', () => !agent.runs(id), 200);
    await agent.beat();
    assert.equal(await statusOf(server, id, 'a'), 'ignored');
  });

  test(`${kind}: a kill reaches a running script; a task that was never taken is settled at once`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    await agent.beat();
    const never = await server.createTask(['a']);
    await server.call('PUT', `/task/${never}/action`, { action: 'kill' });
    assert.equal(await statusOf(server, never, 'a'), 'killed');
    const id = await server.createTask(['a']);
    await running(agent, id);
    await server.call('PUT', `/task/${id}/action`, { action: 'kill' });
    assert.equal(await statusOf(server, id, 'a'), 'killing');
    await agent.beatUntil('the kill', () => !agent.runs(id), 4);
    await agent.beat();
    assert.equal(await statusOf(server, id, 'a'), 'killed');
    assert.deepEqual(
      agent.starts.map((start) => start.id),
      [id],
    );
  });

  test(`${kind}: a script beyond its timeout is killed, and its status says why`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    const id = await server.createTask(['a'], { timeout: 1 });
    await agent.beatUntil('the end', async () => (await statusOf(server, id, 'a')) === 'timeout', 200);
    assert.equal(agent.runs(id), false);
  });

  test(`${kind}: a result is stored although the server was restarted meanwhile`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    const id = await server.createTask(['a']);
    await running(agent, id);
    agent.disconnect();
    await server.restart();
    agent.end(id, 'success', 'late');
    agent.moveTo(server.agentPort);
    await agent.beat();
    assert.equal(await statusOf(server, id, 'a'), 'success');
    assert.equal(await textOf(server, id, 'a'), 'late');
    assert.equal(agent.starts.length, 1);
  });
}

test('a Categraf that has restarted gets its script no second time, and a late result adds its output', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await running(agent, id);
  agent.print(id, 'begin\n');
  await agent.beat();
  agent.restart();
  await agent.beat();
  await agent.beat();
  assert.equal(agent.starts.length, 1);
  assert.equal(await statusOf(server, id, 'a'), 'failed');
  assert.equal(await textOf(server, id, 'a'), 'begin\n');
  assert.match(String(await textOf(server, id, 'a', 'stderr')), /ibex: lost: the agent restarted/);
});

test('a Categraf that a redone script ends does not get it again and again', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a', 'someone away']);
  await running(agent, id);
  agent.end(id);
  await agent.beat();
  await act(server, id, 'a', 'redo');
  await agent.beatUntil('the redo', () => agent.starts.length === 2);
  agent.restart();
  for (let i = 0; i < 4; i++) await agent.beat();
  assert.equal(agent.starts.length, 2);
  assert.equal(await statusOf(server, id, 'a'), 'failed');
});

test('the first report of a connection is old news: what it leaves out of an ended script is still fetched', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await running(agent, id);
  const old = agent.report();
  agent.disconnect();
  agent.end(id, 'success', 'all of it');
  await agent.beat(old);
  assert.equal(await statusOf(server, id, 'a'), 'running');
  await agent.beat();
  assert.equal(await textOf(server, id, 'a'), 'all of it');
  assert.equal(await statusOf(server, id, 'a'), 'success');
});

test('a result that was stored is taken again without any change', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await running(agent, id);
  agent.end(id, 'success', 'x');
  const told = agent.report();
  await agent.beat();
  await agent.beat(told.map((task) => ({ ...task, Status: 'killfailed' })));
  assert.equal(await statusOf(server, id, 'a'), 'success');
  assert.equal(agent.message, '');
});

test('of two agents with one name only the first gets work, and the list of hosts shows the other', async () => {
  await using server = await TestServer.start();
  using first = new FaithfulAgent('a', server.agentPort);
  using second = new FaithfulAgent('a', server.agentPort);
  await first.beat();
  await second.beat();
  assert.match(second.message, /another agent/);
  const id = await server.createTask(['a']);
  await second.beat();
  await running(first, id);
  await second.beat();
  assert.deepEqual([first.starts.length, second.starts.length], [1, 0]);
  first.end(id);
  await first.beat();
  assert.equal(await statusOf(server, id, 'a'), 'success');
  assert.match(await hostView(server), /"refused":\{.*another agent/);
});

test('bytes that are no text, and long texts, are stored repaired and cut', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort, 'agentd');
  const ids = [await server.createTask(['a']), await server.createTask(['a'])] as const;
  for (const id of ids) await running(agent, id);
  agent.end(ids[0], 'success', Buffer.from([0x61, 0xff, 0xfe, 0x00, 0xe4, 0xb8]));
  agent.end(ids[1], 'success', Buffer.alloc(65_535, 0xff));
  await agent.beat();
  assert.equal(agent.message, '');
  assert.equal(await textOf(server, ids[0], 'a'), 'a\ufffd\ufffd\0\ufffd');
  const long = await textOf(server, ids[1], 'a');
  assert.ok(typeof long === 'string' && Buffer.byteLength(long) <= 65_535 && long.length > 20_000);
});

test('a script of another account may outlive its kill: the status says so, its output is kept as long as it grows', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a'], { account: 'nobody' });
  await running(agent, id);
  await server.call('PUT', `/task/${id}/action`, { action: 'kill' });
  await agent.beat();
  agent.goOn(id, '1\n');
  await agent.beat();
  agent.goOn(id, '2\nSURVIVED\n');
  await agent.beatUntil('the end', async () => (await statusOf(server, id, 'a')) !== 'killing', 8);
  assert.equal(await statusOf(server, id, 'a'), 'killfailed');
  assert.equal(await textOf(server, id, 'a'), '1\n2\nSURVIVED\n');
  assert.match(String(await textOf(server, id, 'a', 'stderr')), /may still run/);
});
