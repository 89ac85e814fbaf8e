import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { TestServer } from '../testing/test-server.js';
import { FaithfulAgent } from './testing/faithful-agent.js';
import { running, statusOf } from './testing/legacy-server.js';

test('a host with a pinned key is not served without one, until it is forgotten', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  {
    using own = await ScriptedAgent.connect(server.agentPort, agentSelf('a'));
    await agent.beat();
    assert.match(agent.message, /key/);
    own[Symbol.dispose]();
    await own.closed;
  }
  const id = await server.createTask(['a']);
  await agent.beat();
  assert.match(agent.message, /key/);
  assert.equal(agent.starts.length, 0);
  await server.call('DELETE', '/host/a/key');
  await agent.beatUntil('a start', () => agent.runs(id));
});

test('a host that moves to an agent with a key runs nothing twice', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await running(agent, id);
  const waiting = await server.createTask(['a']);
  using own = await ScriptedAgent.connect(server.agentPort, agentSelf('a'));
  const assign = await own.next('assign');
  assert.equal(assign.taskId, waiting);
  assert.equal(await statusOf(server, id, 'a'), 'failed');
  await assert.rejects(agent.beat());
  await agent.reconnectAndBeat();
  assert.match(agent.message, /key/);
  assert.equal(agent.starts.length, 1);
});

test('a host that moves back from an agent with a key gets nothing that was sent to that one', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const self = agentSelf('a');
  let id = 0;
  {
    using own = await ScriptedAgent.connect(server.agentPort, self);
    // Its runs are listed once the host takes work.
    id = await server.createTask(['a']);
    await own.next('assign');
    own[Symbol.dispose]();
    await own.closed;
  }
  await server.call('DELETE', '/host/a/key');
  await agent.beat();
  await agent.beat();
  assert.equal(agent.message, '');
  assert.deepEqual([agent.starts.length, await statusOf(server, id, 'a')], [0, 'running']);
  const own = await server.createTask(['a']);
  await agent.beatUntil('a start', () => agent.runs(own));
});

for (const kind of ['categraf', 'agentd'] as const) {
  test(`${kind}: a host that changes its agent and back again starts no run a second time`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    const begun = await server.createTask(['a']);
    await running(agent, begun);
    agent.disconnect();
    const self = agentSelf('a');
    const sent: number[] = [];
    {
      using own = await ScriptedAgent.connect(server.agentPort, self);
      const pushed = await server.createTask(['a']);
      const assign = await own.next('assign');
      sent.push(assign.taskId);
      assert.deepEqual(sent, [pushed], 'what the other agent has begun is not for this one');
      own.send({ t: 'accepted', taskId: assign.taskId, clock: assign.clock });
      own.send({ t: 'started', taskId: assign.taskId, clock: assign.clock, startedMs: Date.now() });
      own[Symbol.dispose]();
      await own.closed;
    }
    await server.call('DELETE', '/host/a/key');
    // The old agent never stopped: it still has its script, and nothing of what was sent to the other one.
    for (let beat = 0; beat < 4; beat++) await agent.beat();
    assert.equal(agent.message, '');
    agent.end(begun, 'success', 'late');
    await agent.beat();
    await agent.beat();
    assert.equal(await statusOf(server, begun, 'a'), 'failed');
    assert.deepEqual(
      agent.starts.map(({ id }) => id),
      [begun],
    );
    const fresh = await server.createTask(['a']);
    await agent.beatUntil('a start', () => agent.runs(fresh));
  });
}
