import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testMysql } from '../store/testing/test-databases.js';
import { changeOf, result } from '../tasks/testing/fixture.js';
import { TwoServers, type TestServer } from './testing/two-servers.js';
import { until } from '../../shared/testing/until.js';

const skip = 'missing' in testMysql && testMysql.missing;

function assigned(server: TestServer, host: string): Promise<number> {
  return until(`${host} is assigned`, () =>
    server.gateway.assigns.some(({ hosts }) => hosts.includes(host)) ? server.gateway.clockOf(host) : undefined,
  );
}

async function isDone(servers: TwoServers, taskId: number): Promise<void> {
  await until(
    `task ${taskId} is done`,
    async () => (await servers.two.store.action(taskId)) === undefined || undefined,
  );
}

describe('two servers on one database', { skip }, () => {
  it('one passes on what the other starts, and its result lets the other go on', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    two.gateway.online.add('a');
    two.gateway.online.add('b');
    const taskId = await servers.create(one, { hosts: ['a', 'b'], batch: 1 });
    assert.deepEqual(await servers.statuses(taskId), { a: 'running', b: 'waiting' });
    const clock = await assigned(two, 'a');
    assert.equal(await two.service.runEnded('a', result(taskId, clock)), 'stored');
    const next = await assigned(two, 'b');
    assert.deepEqual(await servers.statuses(taskId), { a: 'success', b: 'running' });
    assert.equal(await two.service.runEnded('b', result(taskId, next)), 'stored');
    await isDone(servers, taskId);
    assert.equal(two.gateway.assigns.filter(({ hosts }) => hosts.includes('a')).length, 1);
  });

  it('a result is stored by whichever it reaches, once', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    one.gateway.online.add('a');
    two.gateway.online.add('a');
    const taskId = await servers.create(one, { hosts: ['a'] });
    const clock = one.gateway.clockOf('a');
    const outcomes = await Promise.all([
      one.service.runEnded('a', result(taskId, clock, { status: 'failed', exitCode: 3 })),
      two.service.runEnded('a', result(taskId, clock, { status: 'failed', exitCode: 3 })),
    ]);
    assert.deepEqual(outcomes, ['stored', 'stored']);
    await isDone(servers, taskId);
    assert.deepEqual(await servers.statuses(taskId), { a: 'failed' });
    assert.equal((await one.store.runDetails(taskId)).length, 1);
  });

  it('a kill asked of one ends a run that only the other reaches', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    two.gateway.online.add('a');
    const taskId = await servers.create(one, { hosts: ['a'] });
    const clock = await assigned(two, 'a');
    assert.deepEqual(await one.service.actOnHost(taskId, 'a', 'kill'), { outcome: 'done' });
    assert.deepEqual(await servers.statuses(taskId), { a: 'killing' });
    await until('the kill is passed on', () => two.gateway.kills.length > 0 || undefined);
    assert.deepEqual(two.gateway.kills[0], { host: 'a', run: { taskId, clock } });
    await two.service.runEnded('a', result(taskId, clock, { status: 'killed', exitCode: 143, signal: 15 }));
    await isDone(servers, taskId);
    assert.deepEqual(await servers.statuses(taskId), { a: 'killed' });
  });

  it('every action may be asked of the server that does not schedule the task', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    one.gateway.online.add('a').add('b').add('c');
    const taskId = await servers.create(one, { hosts: ['a', 'b', 'c'], batch: 1, tolerance: 3 });
    const clock = one.gateway.clockOf('a');
    assert.deepEqual(await two.service.act(taskId, 'pause'), { outcome: 'done' });
    await one.service.runEnded('a', result(taskId, clock));
    assert.deepEqual(await servers.statuses(taskId), { a: 'success', b: 'waiting', c: 'waiting' });
    const hint = await two.service.actOnHost(taskId, 'b', 'ignore');
    assert.equal(hint.outcome === 'done' && hint.hint, 'you can click start to run the task');
    await two.service.actOnHost(taskId, 'a', 'redo');
    const again = await assigned(one, 'a').then(() =>
      until('a is assigned again', () => (one.gateway.clockOf('a') > clock ? one.gateway.clockOf('a') : undefined)),
    );
    assert.equal(await one.service.runEnded('a', result(taskId, again)), 'stored');
    await two.service.act(taskId, 'start');
    await one.service.runEnded('c', result(taskId, await assigned(one, 'c')));
    await isDone(servers, taskId);
    assert.deepEqual(await servers.statuses(taskId), { a: 'success', b: 'ignored', c: 'success' });
    assert.equal((await two.service.act(taskId, 'kill')).outcome, 'refused');
    assert.equal((await two.service.act(1, 'kill')).outcome, 'not-found');
  });

  it('a task created with pause waits for its start, whichever is asked to ignore its hosts', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    const taskId = await servers.create(one, { action: 'pause', hosts: ['a', 'b'] });
    for (const [server, host] of [
      [two, 'a'],
      [one, 'b'],
      [two, 'b'],
    ] as const) {
      const answer = await server.service.actOnHost(taskId, host, 'ignore');
      assert.deepEqual(answer, { outcome: 'done', hint: 'you can click start to run the task' });
    }
    await until('the owner has read both', async () =>
      (await one.service.states(taskId))?.every(({ status }) => status === 'ignored') ? true : undefined,
    );
    assert.equal(await one.store.action(taskId), 'pause');
    assert.deepEqual(await two.service.act(taskId, 'start'), { outcome: 'done' });
    await isDone(servers, taskId);
  });

  it('nothing is read of a run that its agent has, however often the database is looked at', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    one.gateway.online.add('a');
    const taskId = await servers.create(one, { hosts: ['a', 'b'] });
    two.gateway.held.add(`a ${taskId} ${one.gateway.clockOf('a')}`);
    const read: unknown[] = [];
    const openTask = two.store.openTask.bind(two.store);
    two.store.openTask = (id, hosts) => {
      read.push(hosts);
      return openTask(id, hosts);
    };
    two.gateway.online.add('a');
    two.service.agentConnected('a');
    // What is looked at after it: b, whose start nobody has sent.
    two.gateway.online.add('b');
    two.service.agentConnected('b');
    await assigned(two, 'b');
    await until('a is clear', () => two.service.openRuns('a'));
    // Sending b's start again is harmless, and this gateway never says that b has it.
    assert.deepEqual(new Set(two.gateway.assigns.flatMap(({ hosts }) => hosts)), new Set(['b']));
    assert.ok(
      read.every((hosts) => Array.isArray(hosts) && !hosts.includes('a')),
      JSON.stringify(read),
    );
  });

  it('a viewer at one sees what becomes of the other one’s task', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    one.gateway.online.add('a');
    const taskId = await servers.create(one, { hosts: ['a'] });
    assert.deepEqual(
      (await two.service.states(taskId))?.map(({ status }) => status),
      ['running'],
    );
    const changed = changeOf(two.service, taskId, ({ status }) => status === 'success');
    await one.service.runEnded('a', result(taskId, one.gateway.clockOf('a')));
    assert.equal((await changed).clock, one.gateway.clockOf('a'));
  });

  it('a viewer at one is told why the other one’s task has paused, and that it goes on', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    one.gateway.online.add('a');
    const taskId = await servers.create(one, { hosts: ['a', 'b'], batch: 1 });
    const told: unknown[] = [];
    two.service.onAction(taskId, ({ action, cause, failed }) => told.push([action, cause, failed]));
    assert.partialDeepStrictEqual(await two.service.action(taskId), { action: 'start', cause: null });
    await one.service.runEnded('a', result(taskId, one.gateway.clockOf('a'), { status: 'failed', exitCode: 1 }));
    await until('the pause is told', () => told[0]);
    await one.service.actOnHost(taskId, 'a', 'ignore');
    await one.service.act(taskId, 'start');
    await until('the start is told', () => (JSON.stringify(told.at(-1)) === '["start",null,0]' ? true : undefined));
    assert.deepEqual(told[0], ['pause', 'tolerance', 1]);
  });

  it('the tasks of one that stops are the other one’s', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    one.gateway.online.add('a');
    two.gateway.online.add('a').add('b');
    const taskId = await servers.create(one, { hosts: ['a', 'b'], batch: 1 });
    const clock = one.gateway.clockOf('a');
    await servers.stop(one);
    assert.equal(await two.service.runEnded('a', result(taskId, clock)), 'stored');
    await two.service.runEnded('b', result(taskId, await assigned(two, 'b')));
    await isDone(servers, taskId);
    assert.deepEqual(await servers.statuses(taskId), { a: 'success', b: 'success' });
  });

  it('one that stops waits for a look that is under way for an agent that has come', async () => {
    await using servers = await TwoServers.open();
    const { store, service } = servers.two;
    const order: string[] = [];
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const doingsOf = store.activeRunsOf.bind(store);
    store.activeRunsOf = async (hosts) => {
      begun.resolve();
      await held.promise;
      order.push('looked');
      return doingsOf(hosts);
    };
    service.agentConnected('a');
    await begun.promise;
    const stopped = servers.stop(servers.two).then(() => order.push('stopped'));
    // Far more than it takes to stop.
    for (let i = 0; i < 50; i++) await servers.one.store.schedulers.silence();
    held.resolve();
    await stopped;
    assert.deepEqual(order, ['looked', 'stopped']);
  });
});
