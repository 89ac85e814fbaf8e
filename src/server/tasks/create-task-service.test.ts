import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreError } from '../store/store.js';
import type { HostState } from './task-service.js';
import { changeOf, Fixture, newTask, result } from './testing/fixture.js';
import { openTaskIds } from '../store/testing/store-fixture.js';

describe('a task', () => {
  it('is durable before it is assigned, and its result ends it', async () => {
    await using f = await Fixture.open();
    f.gateway.online.add('a');
    const { id } = await f.service.create(newTask({ args: 'x,,y z' }));
    assert.equal(id, 1);
    const [assign] = f.gateway.assigns;
    assert.deepEqual(assign?.hosts, ['a']);
    assert.equal(assign.frame.script, 'echo hi\n');
    assert.deepEqual(assign.frame.args, ['x', 'y z']);
    assert.equal(assign.frame.timeoutMs, 30_000);
    assert.ok(assign.frame.startWithinMs > 25_000 && assign.frame.startWithinMs <= 30_000);
    assert.deepEqual(f.service.expectedRuns('a'), [{ taskId: 1, clock: assign.frame.clock }]);
    assert.deepEqual(await f.statuses(id), { a: 'running' });

    assert.equal(await f.service.runEnded('a', result(id, assign.frame.clock)), 'stored');
    assert.equal(await f.store.action(id), undefined);
    assert.deepEqual(await f.store.outputs(id), [{ host: 'a', status: 'success', stdout: 'hi\n', stderr: '' }]);
    const [detail] = await f.store.runDetails(id);
    assert.equal(detail?.exitCode, 0);
    assert.equal(detail.startedMs, 1_000);
    assert.deepEqual(f.service.expectedRuns('a'), []);
    assert.deepEqual(await f.service.states(id), [
      { host: 'a', status: 'success', clock: assign.frame.clock, startBeforeMs: null },
    ]);
    assert.equal((await f.store.meta(id))?.script, 'echo hi\r\n');
  });

  it('goes out as one frame to all its hosts', async () => {
    await using f = await Fixture.open();
    await f.service.create(newTask({ hosts: ['a', 'b', 'c'] }));
    assert.equal(f.gateway.assigns.length, 1);
    assert.deepEqual(f.gateway.assigns[0]?.hosts, ['a', 'b', 'c']);
    assert.deepEqual(f.gateway.assigns[0].frame.args, []);
  });

  it('is not created for a caller who has left', async () => {
    await using f = await Fixture.open();
    await assert.rejects(f.service.create(newTask(), AbortSignal.abort()), { name: 'NotWantedError' });
    assert.deepEqual(await openTaskIds(f.store), []);
    assert.equal(f.gateway.assigns.length, 0);
  });

  it('answers actions on unknown and finished tasks', async () => {
    await using f = await Fixture.open();
    assert.deepEqual(await f.service.act(7, 'start'), { outcome: 'not-found' });
    assert.deepEqual(await f.service.actOnHost(7, 'a', 'redo'), { outcome: 'not-found' });
    assert.equal(await f.service.states(7), undefined);
    const { id } = await f.service.create(newTask({ action: 'pause' }));
    assert.deepEqual(await f.service.act(id, 'cancel'), { outcome: 'done' });
    assert.deepEqual(await f.statuses(id), { a: 'cancelled' });
    const finished = { outcome: 'refused', why: 'task already finished, no more action can do' };
    assert.deepEqual(await f.service.act(id, 'start'), finished);
    assert.deepEqual(await f.service.actOnHost(id, 'a', 'redo'), finished);
  });

  it('waits for its start where it was created with pause, over a restart too', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask({ action: 'pause', hosts: ['a', 'b'] }));
    for (const host of ['a', 'b']) await f.service.actOnHost(id, host, 'ignore');
    await f.restart();
    assert.equal((await f.service.act(id, 'pause')).outcome, 'done');
    assert.equal(await f.store.action(id), 'pause');
    assert.deepEqual(await f.service.act(id, 'start'), { outcome: 'done' });
    assert.equal(await f.store.action(id), undefined);
    assert.deepEqual(await f.statuses(id), { a: 'ignored', b: 'ignored' });
  });

  it('tells committed changes to listeners, until they leave', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask({ hosts: ['a', 'b'], batch: 1 }));
    const seen: HostState[] = [];
    const stop = f.service.onChange(id, (host) => seen.push(host));
    const clock = f.gateway.clockOf('a');
    await f.service.runEnded('a', result(id, clock));
    assert.deepEqual(seen[0], { host: 'a', status: 'success', clock, startBeforeMs: null });
    assert.equal(seen[1]?.host, 'b');
    assert.equal(seen[1].status, 'running');
    stop();
    await f.service.actOnHost(id, 'b', 'ignore');
    assert.equal(seen.length, 2);
  });

  it('takes many results of one moment in few commits', async () => {
    await using f = await Fixture.open();
    const hosts = Array.from({ length: 2_000 }, (_, i) => `host-${i}`);
    const { id } = await f.service.create(newTask({ hosts }));
    const clock = f.gateway.clockOf('host-0');
    const outcomes = await Promise.all(hosts.map((host) => f.service.runEnded(host, result(id, clock))));
    assert.ok(outcomes.every((outcome) => outcome === 'stored'));
    assert.equal(await f.store.action(id), undefined);
    assert.ok((await f.store.hosts(id)).every(({ status }) => status === 'success'));
  });
});

describe('a deadline', () => {
  it('settles a host that no agent was there for', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask({ timeout: 1 }));
    await changeOf(f.service, id, ({ status }) => status === 'timeout');
    assert.equal(await f.store.action(id), undefined);
    const [detail] = await f.store.runDetails(id);
    assert.equal(detail?.reason, 'not-started');
    // Whoever comes now gets nothing to do.
    f.gateway.online.add('a');
    f.gateway.assigns.length = 0;
    f.service.agentListed('a', [], false);
    assert.deepEqual(f.service.expectedRuns('a'), []);
    assert.equal(f.gateway.assigns.length, 0);
  });

  it('holds over a restart', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask({ timeout: 1, hosts: ['a', 'b'], batch: 1, tolerance: 1 }));
    await f.restart(10);
    await changeOf(f.service, id, ({ host, status }) => host === 'b' && status === 'timeout');
    assert.deepEqual(await f.statuses(id), { a: 'timeout', b: 'timeout' });
    assert.equal(await f.store.action(id), undefined);
  });

  it('that passed while the server was away leaves agents the time to come back with their results', async () => {
    await using f = await Fixture.open();
    f.gateway.online.add('a');
    const { id } = await f.service.create(newTask({ timeout: 1 }));
    const clock = f.gateway.clockOf('a');
    const resumed = new Date((clock + 3_600) * 1_000);
    await f.restart(5_000, () => resumed.getTime() + performance.now());
    // Timers fire in the order they were set: the service's first look at its deadlines is over after this one.
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(await f.service.act(id, 'start'), { outcome: 'done' });
    assert.deepEqual(await f.statuses(id), { a: 'running' });
    f.service.agentListed('a', [{ taskId: id, clock, state: 'ended' }], false);
    assert.deepEqual(await f.service.act(id, 'start'), { outcome: 'done' });
    assert.deepEqual(await f.statuses(id), { a: 'running' });
    assert.equal(await f.service.runEnded('a', result(id, clock)), 'stored');
    assert.deepEqual(await f.statuses(id), { a: 'success' });
  });
});

describe('a store that fails', () => {
  it('keeps answers back, and the task goes on with what is stored', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask());
    const clock = f.gateway.clockOf('a');
    const commit = f.store.commit.bind(f.store);
    f.store.commit = () => Promise.reject(new StoreError('the database does not answer'));
    await assert.rejects(f.service.runEnded('a', result(id, clock)), StoreError);
    await assert.rejects(f.service.act(id, 'cancel'), StoreError);
    await assert.rejects(f.service.create(newTask()), StoreError);
    assert.equal(f.gateway.assigns.length, 1);
    f.store.commit = commit;
    assert.equal(await f.service.runEnded('a', result(id, clock)), 'stored');
    assert.deepEqual(await f.statuses(id), { a: 'success' });
  });

  it('reads the task again when someone else has changed its rows', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask({ hosts: ['a', 'b'], batch: 1, action: 'pause' }));
    await f.store.commit([
      { kind: 'end-host', taskId: id, host: 'a', from: 'waiting', to: 'ignored', output: undefined, detail: undefined },
    ]);
    assert.deepEqual(await f.service.act(id, 'start'), { outcome: 'done' });
    assert.deepEqual(await f.statuses(id), { a: 'ignored', b: 'running' });
    assert.deepEqual(
      f.gateway.assigns.map(({ hosts }) => hosts),
      [['b']],
    );
  });
});
