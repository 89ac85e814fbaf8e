import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { mysqlPlace } from '../store/testing/test-databases.js';
import { onMysql, TestServer } from '../testing/test-server.js';

test('the first key of a Host is pinned; another one is refused with the remedy, until the Host is forgotten', async () => {
  await using server = await TestServer.start();
  const first = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  first[Symbol.dispose]();
  await first.closed;

  using second = await ScriptedAgent.dial(server.agentPort, agentSelf('web-01'));
  await second.prove();
  assert.deepEqual(await second.closed, { code: CloseCode.notAdmitted, reason: 'another key is pinned for web-01' });
  assert.match(JSON.stringify(server.log.lines), /if the machine was reinstalled: ibex hosts forget web-01/);
  const { dat } = await server.call('GET', '/hosts');
  assert.partialDeepStrictEqual(dat, [
    { host: 'web-01', connected: false, refused: { why: 'another key is pinned for web-01' } },
  ]);

  assert.deepEqual(await server.call('DELETE', '/host/web-01/key'), { status: 200, dat: undefined, err: '' });
  using third = await ScriptedAgent.connect(server.agentPort, second.self);
  third.send({ t: 'heartbeat', assigns: 0, runs: 1, digest: 'x', intervalMs: 1_000 });
  third.send({ t: 'heartbeat', assigns: 0, runs: 1, digest: 'x', intervalMs: 1_000 });
  await third.next('list');
});

test('forgetting a Host puts its agent out and keeps that key out for a while, so that another can come in', async () => {
  await using server = await TestServer.start();
  using impostor = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  assert.deepEqual(await server.call('DELETE', '/host/web-01/key'), { status: 200, dat: undefined, err: '' });
  assert.equal((await impostor.closed).code, CloseCode.notAdmitted);
  using again = await ScriptedAgent.dial(server.agentPort, impostor.self);
  await again.prove();
  assert.match((await again.closed).reason, /the key of web-01 was forgotten/);
  using rightful = await ScriptedAgent.dial(server.agentPort, agentSelf('web-01'));
  await rightful.prove();
  await rightful.next('welcome');
});

test('a pinned key is known after a restart of the server, and so is the agent', async () => {
  await using server = await TestServer.start();
  const self = agentSelf('web-01');
  using agent = await ScriptedAgent.dial(server.agentPort, self);
  await agent.prove();
  await agent.next('welcome');
  await server.restart();
  using other = await ScriptedAgent.dial(server.agentPort, agentSelf('web-01'));
  await other.prove();
  assert.equal((await other.closed).code, CloseCode.notAdmitted);
  using same = await ScriptedAgent.dial(server.agentPort, self);
  await same.prove();
  await same.next('welcome');
});

test('the same process a second time is refused while its first session lives', async () => {
  await using server = await TestServer.start();
  const self = agentSelf('web-01');
  using first = await ScriptedAgent.connect(server.agentPort, self);
  using second = await ScriptedAgent.dial(server.agentPort, self);
  await second.prove();
  assert.equal((await second.closed).code, CloseCode.hostTaken);
  first.send({ t: 'heartbeat', assigns: 0, runs: 0, digest: '0', intervalMs: 1_000 });
});

test('a new process of the same boot replaces the older one at once', async () => {
  await using server = await TestServer.start();
  const self = agentSelf('web-01');
  using first = await ScriptedAgent.connect(server.agentPort, self);
  using second = await ScriptedAgent.connect(server.agentPort, { ...self, instance: randomUUID() });
  assert.equal((await first.closed).code, CloseCode.replaced);
  const task = await server.createTask(['web-01']);
  assert.equal((await second.next('assign')).taskId, task);
});

test('two processes of one boot with one key: the newer one stays, the older one does not put it out again', async () => {
  await using server = await TestServer.start();
  const self = agentSelf('web-01');
  using older = await ScriptedAgent.connect(server.agentPort, self);
  using newer = await ScriptedAgent.connect(server.agentPort, { ...self, instance: randomUUID() });
  assert.equal((await older.closed).code, CloseCode.replaced);
  using again = await ScriptedAgent.dial(server.agentPort, self);
  await again.prove();
  assert.equal((await again.closed).code, CloseCode.hostTaken);
  using third = await ScriptedAgent.dial(server.agentPort, self);
  await third.prove();
  await third.closed;
  const { dat } = await server.call('GET', '/hosts');
  assert.partialDeepStrictEqual(dat, [
    { session: { instance: newer.self.instance }, refused: { kind: 'clone', count: 2 } },
  ]);
  using newest = await ScriptedAgent.connect(server.agentPort, { ...self, instance: randomUUID() });
  assert.equal((await newer.closed).code, CloseCode.replaced);
  for (const { self: copy } of [older, newer]) {
    using back = await ScriptedAgent.dial(server.agentPort, copy);
    await back.prove();
    assert.equal((await back.closed).code, CloseCode.hostTaken);
  }
  newest[Symbol.dispose]();
  await newest.closed;
  using last = await ScriptedAgent.connect(server.agentPort, self);
  assert.equal(last.self.instance, self.instance);
});

test('the key of a Host that another server has forgotten gives way to the next one', async () => {
  await using place = mysqlPlace();
  await using one = await TestServer.start(onMysql(place));
  await using two = await TestServer.start(onMysql(place));
  const impostor = agentSelf('web-01');
  using first = await ScriptedAgent.connect(one.agentPort, impostor);
  using second = await ScriptedAgent.connect(two.agentPort, impostor);
  assert.equal((await one.call('DELETE', '/host/web-01/key')).err, '');
  assert.equal((await first.closed).code, CloseCode.notAdmitted);
  const rightful = agentSelf('web-01');
  using _third = await ScriptedAgent.connect(two.agentPort, rightful);
  assert.equal((await second.closed).code, CloseCode.notAdmitted);
  using _fourth = await ScriptedAgent.connect(one.agentPort, rightful);
  using late = await ScriptedAgent.dial(one.agentPort, impostor);
  await late.prove();
  assert.equal((await late.closed).reason, 'another key is pinned for web-01');
});

test('two keys that come to two servers at once: one gets the Host on both', async () => {
  await using place = mysqlPlace();
  await using one = await TestServer.start(onMysql(place));
  await using two = await TestServer.start(onMysql(place));
  const rivals = [agentSelf('web-01'), agentSelf('web-01')] as const;
  const outcomes = await Promise.all(
    rivals.map(async (self, i) => {
      using agent = await ScriptedAgent.dial((i === 0 ? one : two).agentPort, self);
      await agent.prove();
      return await Promise.race([agent.next('welcome').then(() => 'welcome'), agent.closed.then(({ code }) => code)]);
    }),
  );
  assert.equal(outcomes.filter((outcome) => outcome === 'welcome').length, 1, String(outcomes));
  const winner = outcomes[0] === 'welcome' ? rivals[0] : rivals[1];
  for (const server of [one, two]) {
    using agent = await ScriptedAgent.connect(server.agentPort, { ...winner, instance: randomUUID() });
    assert.equal(agent.self.host, 'web-01');
  }
});

test('another boot is refused as a clone while the first answers a ping', async () => {
  await using server = await TestServer.start();
  const self = agentSelf('web-01');
  using first = await ScriptedAgent.connect(server.agentPort, self);
  using clone = await ScriptedAgent.dial(server.agentPort, { ...self, bootId: randomUUID(), instance: randomUUID() });
  await clone.prove();
  assert.equal((await clone.closed).code, CloseCode.hostTaken);
  const { dat } = await server.call('GET', '/hosts');
  assert.partialDeepStrictEqual(dat, [
    {
      connected: true,
      session: { instance: self.instance },
      refused: {
        kind: 'clone',
        count: 1,
        why: 'another live session, from 127.0.0.1, holds web-01 with the same key: a copy of its MetaDir',
      },
    },
  ]);
  first.send({ t: 'heartbeat', assigns: 0, runs: 0, digest: '0', intervalMs: 1_000 });
});

test('another boot takes the Host of a session that answers no ping', async () => {
  await using server = await TestServer.start();
  const self = agentSelf('web-01');
  using dead = await ScriptedAgent.connect(server.agentPort, self, { deaf: true });
  const rebooted = { ...self, bootId: randomUUID(), instance: randomUUID() };
  using agent = await ScriptedAgent.connect(server.agentPort, rebooted);
  assert.equal((await dead.closed).code, CloseCode.silent);
  const task = await server.createTask(['web-01']);
  assert.equal((await agent.next('assign')).taskId, task);
});

test('a Host that differs from a known one only by letter case is refused', async () => {
  await using server = await TestServer.start();
  using _first = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  using second = await ScriptedAgent.dial(server.agentPort, agentSelf('WEB-01'));
  await second.prove();
  const closed = await second.closed;
  assert.equal(closed.code, CloseCode.notAdmitted);
  assert.match(closed.reason, /WEB-01 differs from the known Host web-01/);
});

test('two keys that come for an unknown Host at once: one gets it', async () => {
  await using server = await TestServer.start();
  const agents = await Promise.all([0, 1].map(() => ScriptedAgent.dial(server.agentPort, agentSelf('web-01'))));
  await Promise.all(agents.map((agent) => agent.prove()));
  const outcomes = await Promise.all(
    agents.map((agent) =>
      Promise.race([agent.next('welcome').then(() => 'welcome'), agent.closed.then(({ code }) => code)]),
    ),
  );
  assert.deepEqual(outcomes.filter((outcome) => outcome === 'welcome').length, 1, String(outcomes));
  for (const agent of agents) agent[Symbol.dispose]();
});

test('what is no WebSocket on the agents port gets an answer in words', async () => {
  await using server = await TestServer.start();
  const response = await fetch(`http://127.0.0.1:${server.agentPort}/ibex/v1/tasks`);
  assert.equal(response.status, 404);
  assert.match(await response.text(), /the HTTP API is on another port/);
});
