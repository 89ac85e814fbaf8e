import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Store } from '../store/store.js';
import { testMysql } from '../store/testing/test-databases.js';
import { result } from '../tasks/testing/fixture.js';
import { TwoServers } from './testing/two-servers.js';
import { until } from '../../shared/testing/until.js';

const skip = 'missing' in testMysql && testMysql.missing;
/** Neither server looks at the database by itself while a test runs: what it has in memory stays as old as it is. */
const NEVER_MS = 3_600_000;

async function open(...hosts: readonly string[]): Promise<TwoServers> {
  const servers = await TwoServers.open({ watchMs: NEVER_MS });
  for (const host of hosts) for (const { gateway } of [servers.one, servers.two]) gateway.online.add(host);
  return servers;
}

describe('a server that does not know yet what another one has done', { skip }, () => {
  it('does not end the task while a host runs that was started again elsewhere', async () => {
    await using servers = await open('a', 'b');
    const { one, two } = servers;
    const taskId = await servers.create(one, { hosts: ['a', 'b'] });
    const clock = one.gateway.clockOf('a');
    await one.service.runEnded('a', result(taskId, clock));
    await two.service.actOnHost(taskId, 'a', 'redo');
    await one.service.runEnded('b', result(taskId, clock));
    assert.deepEqual(await servers.statuses(taskId), { a: 'running', b: 'success' });
    assert.equal(await one.store.action(taskId), 'start');
    const again = result(taskId, two.gateway.clockOf('a'), { status: 'failed', exitCode: 1 });
    assert.equal(await one.service.runEnded('a', again), 'stored');
    assert.deepEqual(await servers.statuses(taskId), { a: 'failed', b: 'success' });
    assert.equal(await one.store.action(taskId), undefined);
  });

  it('kills with the task what was started again elsewhere', async () => {
    await using servers = await open('a', 'b');
    const { one, two } = servers;
    const taskId = await servers.create(one, { hosts: ['a', 'b'] });
    await one.service.runEnded('a', result(taskId, one.gateway.clockOf('a')));
    await two.service.actOnHost(taskId, 'a', 'redo');
    await one.service.act(taskId, 'kill');
    assert.deepEqual(await servers.statuses(taskId), { a: 'killing', b: 'killing' });
    assert.equal(one.gateway.kills.length, 2);
    assert.deepEqual(Object.fromEntries(one.gateway.kills.map(({ host, run }) => [host, run.clock])), {
      a: two.gateway.clockOf('a'),
      b: one.gateway.clockOf('b'),
    });
  });

  it('starts no more hosts than the batch allows beside one that was started again elsewhere', async () => {
    await using servers = await open('a', 'b', 'c');
    const { one, two } = servers;
    const taskId = await servers.create(one, { hosts: ['a', 'b', 'c'], batch: 1 });
    await one.service.runEnded('a', result(taskId, one.gateway.clockOf('a')));
    await two.service.actOnHost(taskId, 'a', 'redo');
    await one.service.runEnded('b', result(taskId, one.gateway.clockOf('b')));
    assert.deepEqual(await servers.statuses(taskId), { a: 'running', b: 'success', c: 'waiting' });
  });

  it('does a redo of a host whose end was stored elsewhere', async () => {
    await using servers = await open('a', 'b');
    const { one, two } = servers;
    const taskId = await servers.create(one, { hosts: ['a', 'b'] });
    const clock = one.gateway.clockOf('a');
    await two.service.runEnded('a', result(taskId, clock, { status: 'failed', exitCode: 1 }));
    await one.service.actOnHost(taskId, 'a', 'redo');
    assert.deepEqual(await servers.statuses(taskId), { a: 'running', b: 'running' });
    assert.ok(one.gateway.clockOf('a') > clock);
  });

  it('takes a result that comes once more not for the one of a newer start', async () => {
    await using servers = await open('a', 'b');
    const { one, two } = servers;
    const taskId = await servers.create(one, { hosts: ['a', 'b'] });
    const first = result(taskId, one.gateway.clockOf('a'), { status: 'failed', exitCode: 1 });
    await two.service.runEnded('a', first);
    await two.service.actOnHost(taskId, 'a', 'redo');
    assert.equal(await one.service.runEnded('a', first), 'stored');
    assert.deepEqual(await servers.statuses(taskId), { a: 'running', b: 'running' });
    assert.equal(await one.service.runEnded('a', result(taskId, two.gateway.clockOf('a'))), 'stored');
    assert.deepEqual(await servers.statuses(taskId), { a: 'success', b: 'running' });
  });

  it('gives an agent that comes no start that was given up elsewhere', async () => {
    await using servers = await open('b');
    const { one, two } = servers;
    const taskId = await servers.create(one, { hosts: ['a', 'b'] });
    await two.service.actOnHost(taskId, 'a', 'kill');
    assert.deepEqual(await servers.statuses(taskId), { a: 'killed', b: 'running' });
    one.gateway.online.add('a');
    one.service.agentListed('a', [], false);
    // The list has a step of its own: together with a result it would share the result's commit.
    await nextTurn();
    await one.service.runEnded('b', result(taskId, one.gateway.clockOf('b')));
    assert.deepEqual(
      one.gateway.assigns.map(({ hosts }) => hosts),
      [['b']],
    );
  });

  it('gives an agent that comes what nobody has sent yet, and notes it', async () => {
    await using servers = await open('b');
    const { one, two } = servers;
    const taskId = await servers.create(one, { hosts: ['a', 'b'] });
    one.gateway.online.add('a');
    one.service.agentListed('a', [], false);
    await nextTurn();
    await one.service.runEnded('b', result(taskId, one.gateway.clockOf('b')));
    assert.deepEqual(one.gateway.assigns.at(-1)?.hosts, ['a']);
    await two.service.actOnHost(taskId, 'a', 'kill');
    assert.deepEqual(await servers.statuses(taskId), { a: 'killing', b: 'success' });
  });

  it('leaves the kill of a run that the other one has sent to its agent', async () => {
    await using servers = await open();
    const { one, two } = servers;
    one.gateway.online.add('a');
    const taskId = await servers.create(one, { hosts: ['a'] });
    await two.service.actOnHost(taskId, 'a', 'kill');
    assert.deepEqual(await servers.statuses(taskId), { a: 'killing' });
  });

  it('looks again at what it was about to send when it was stopped', async () => {
    await using servers = await open('a');
    const { one, two } = servers;
    const taskId = await servers.create(one, { hosts: ['a'], action: 'pause' });
    const commit = one.store.commit.bind(one.store);
    const stoppedAfterCommit: Store['commit'] = async (changes, wanted) => {
      await commit(changes, wanted);
      one.store.commit = commit;
      await two.service.actOnHost(taskId, 'a', 'kill');
      one.clock.aheadMs = 8_000;
    };
    one.store.commit = stoppedAfterCommit;
    await one.service.act(taskId, 'start');
    await until('the kill is passed on', () => one.gateway.kills[0]);
    assert.deepEqual(one.gateway.assigns, []);
    assert.deepEqual(await servers.statuses(taskId), { a: 'killing' });
  });

  it('settles at once the kill of a host that neither of them reaches', async () => {
    await using servers = await open();
    const { one } = servers;
    const taskId = await servers.create(one, { hosts: ['a'] });
    await one.service.actOnHost(taskId, 'a', 'kill');
    assert.deepEqual(await servers.statuses(taskId), { a: 'killed' });
  });

  it('tells the agent of a kill by which somebody has overwritten the only trace of the start', async () => {
    await using servers = await open('a');
    const { one } = servers;
    const taskId = await servers.create(one, { hosts: ['a'] });
    const clock = one.gateway.clockOf('a');
    await servers.place.run(
      `update task_host_${taskId % 100} set status = 'killing' where id = ${taskId}`,
      `update task_host_doing set action = 'kill', clock = ${clock + 7} where id = ${taskId}`,
    );
    // Whatever makes it read the host: here a start that the agent tells of.
    one.service.runStarted('a', { taskId, clock: clock + 1 }, 1);
    one.service.agentListed('a', [{ taskId, clock, state: 'running' }], false);
    const killed = result(taskId, clock, { status: 'killed', exitCode: 143, signal: 15 });
    assert.equal(await one.service.runEnded('a', killed), 'stored');
    assert.deepEqual(
      one.gateway.kills.map(({ run }) => run.clock),
      [clock],
    );
    assert.deepEqual(await servers.statuses(taskId), { a: 'killed' });
  });

  it('clears a doing row away that somebody has left behind, and ends the task', async () => {
    await using servers = await open('a');
    const { one, two } = servers;
    const taskId = await servers.create(one, { hosts: ['a', 'b'] });
    await servers.place.run(
      `update task_host_${taskId % 100} set status = 'success' where id = ${taskId}`,
      `delete from task_host_doing where id = ${taskId} and host = 'b'`,
    );
    await servers.stop(one);
    await two.store.schedulers.take([taskId], one.name, two.name);
    assert.deepEqual(await two.service.act(taskId, 'start'), { outcome: 'done' });
    // The wake that follows every reading.
    await until('the task ends', async () => (await two.store.action(taskId)) === undefined || undefined);
    assert.deepEqual((await two.store.snapshot()).activeRuns, []);
  });
});
