import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentRun } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';
import { changeOf, Fixture, newTask, result } from './testing/fixture.js';

describe('results', () => {
  it('may come twice', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask({ hosts: ['a', 'b'] }));
    const clock = f.gateway.clockOf('a');
    const [first, second] = await Promise.all([
      f.service.runEnded('a', result(id, clock)),
      f.service.runEnded('a', result(id, clock, { status: 'failed', exitCode: 1 })),
    ]);
    assert.deepEqual([first, second], ['stored', 'stored']);
    assert.deepEqual(await f.statuses(id), { a: 'success', b: 'running' });
    assert.equal(await f.service.runEnded('b', result(id, clock)), 'stored');
    assert.equal(await f.service.runEnded('b', result(id, clock, { status: 'failed' })), 'stored');
    assert.deepEqual(await f.statuses(id), { a: 'success', b: 'success' });
  });

  it('of runs that were never given are unknown', async () => {
    await using f = await Fixture.open();
    assert.equal(await f.service.runEnded('a', result(99, 5)), 'unknown');
    const { id } = await f.service.create(newTask());
    assert.equal(await f.service.runEnded('b', result(id, f.gateway.clockOf('a'))), 'unknown');
    assert.equal(await f.service.runEnded('a', result(id, f.gateway.clockOf('a') + 1)), 'unknown');
    assert.deepEqual(await f.statuses(id), { a: 'running' });
  });

  it('that come after an ignore add their output, also when the task is done', async () => {
    await using f = await Fixture.open();
    f.gateway.online.add('a');
    const { id } = await f.service.create(newTask());
    const clock = f.gateway.clockOf('a');
    assert.deepEqual(await f.service.actOnHost(id, 'a', 'ignore'), { outcome: 'done' });
    assert.equal(await f.store.action(id), undefined);
    assert.equal(await f.service.runEnded('a', result(id, clock)), 'stored');
    assert.equal(await f.service.runEnded('a', result(id, clock, { stdout: Buffer.from('other') })), 'stored');
    assert.deepEqual(await f.store.outputs(id), [{ host: 'a', status: 'ignored', stdout: 'hi\n', stderr: '' }]);
    const [detail] = await f.store.runDetails(id);
    assert.equal(detail?.late, true);
    assert.equal(detail.exitCode, 0);
  });

  it('go to the newest start after a redo', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask({ hosts: ['a', 'b'] }));
    const first = f.gateway.clockOf('a');
    await f.service.runEnded('a', result(id, first, { status: 'failed', exitCode: 1 }));
    assert.deepEqual(await f.service.actOnHost(id, 'a', 'redo'), { outcome: 'done' });
    const second = f.gateway.clockOf('a');
    assert.ok(second > first);
    assert.equal(await f.service.runEnded('a', result(id, first, { stdout: Buffer.from('old') })), 'stored');
    assert.equal((await f.statuses(id))['a'], 'running');
    assert.equal(await f.service.runEnded('a', result(id, second, { stdout: Buffer.from('new') })), 'stored');
    assert.equal((await f.store.outputs(id, 'a'))[0]?.stdout, 'new');
  });
});

describe('an agent that lists its runs', () => {
  it('is assigned what it lacks, once it is there', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask());
    const clock = f.gateway.clockOf('a');
    f.gateway.online.add('a');
    f.gateway.assigns.length = 0;
    f.service.agentListed('a', [], false);
    // The answer to this action comes after what was asked before it.
    await f.service.act(id, 'start');
    assert.deepEqual(
      f.gateway.assigns.map(({ hosts, frame }) => [hosts, frame.clock]),
      [[['a'], clock]],
    );
    f.gateway.assigns.length = 0;
    f.service.agentListed('a', [{ taskId: id, clock, state: 'running' }], false);
    await f.service.act(id, 'start');
    assert.equal(f.gateway.assigns.length, 0);
    assert.deepEqual(f.service.expectedRuns('a'), [{ taskId: id, clock }]);
  });

  it('gets its assignments from the file after a restart, under the same clock', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask());
    const clock = f.gateway.clockOf('a');
    await f.restart();
    f.gateway.online.add('a');
    f.gateway.assigns.length = 0;
    assert.deepEqual(f.service.expectedRuns('a'), [{ taskId: id, clock }]);
    f.service.agentListed('a', [], false);
    await f.service.act(id, 'start');
    assert.equal(f.gateway.clockOf('a'), clock);
    assert.equal(await f.service.runEnded('a', result(id, clock)), 'stored');
  });

  it('with a new MetaDir has lost what it had taken', async () => {
    await using f = await Fixture.open();
    f.gateway.online.add('a');
    const { id } = await f.service.create(newTask({ hosts: ['a', 'b'] }));
    const lost = changeOf(f.service, id, ({ host }) => host === 'a');
    f.service.agentListed('a', [], true);
    assert.equal((await lost).status, 'failed');
    const [output] = await f.store.outputs(id, 'a');
    assert.match(output?.stderr ?? '', /^ibex: lost: /);
    assert.equal((await f.store.runDetails(id))[0]?.reason, 'lost');
    // b was never connected: nothing of it can be lost.
    f.gateway.online.add('b');
    f.gateway.assigns.length = 0;
    f.service.agentListed('b', [], true);
    await f.service.act(id, 'start');
    assert.deepEqual(f.gateway.assigns[0]?.hosts, ['b']);
  });

  it('is told to kill what was killed while it was away, and left alone with the rest', async () => {
    await using f = await Fixture.open();
    const { id } = await f.service.create(newTask());
    const { id: other } = await f.service.create(newTask());
    const runs: AgentRun[] = [id, other].map((taskId) => ({ taskId, clock: f.gateway.clockOf('a'), state: 'running' }));
    await f.service.act(id, 'kill');
    await f.service.actOnHost(other, 'a', 'ignore');
    assert.deepEqual(await f.statuses(id), { a: 'killed' });
    assert.deepEqual(await f.statuses(other), { a: 'ignored' });
    f.gateway.online.add('a');
    const killed = new Promise<RunId>((resolve) => {
      f.gateway.kill = (_host, run) => {
        resolve(run);
        return true;
      };
    });
    f.service.agentListed('a', runs, false);
    assert.equal((await killed).taskId, id);
    assert.equal(f.service.expectedRuns('a').length, 2);
    await f.service.runEnded('a', result(id, runs[0]?.clock ?? 0, { status: 'killed' }));
    assert.deepEqual(
      f.service.expectedRuns('a').map(({ taskId }) => taskId),
      [other],
    );
    assert.equal((await f.store.outputs(id))[0]?.stdout, 'hi\n');
  });
});

describe('a kill', () => {
  it('is sent to the agent, and the result of the start it killed ends the host', async () => {
    await using f = await Fixture.open();
    f.gateway.online.add('a');
    const { id } = await f.service.create(newTask());
    const clock = f.gateway.clockOf('a');
    assert.deepEqual(await f.service.act(id, 'kill'), { outcome: 'done' });
    assert.deepEqual(f.gateway.kills, [{ host: 'a', run: { taskId: id, clock } }]);
    assert.deepEqual(await f.statuses(id), { a: 'killing' });
    await f.restart();
    assert.deepEqual(f.service.expectedRuns('a'), [{ taskId: id, clock }]);
    assert.equal(
      await f.service.runEnded('a', result(id, clock, { status: 'killed', exitCode: null, signal: 15 })),
      'stored',
    );
    assert.deepEqual(await f.statuses(id), { a: 'killed' });
    assert.equal(await f.store.action(id), undefined);
  });
});

describe('a start that the agent reports', () => {
  it('is stored before long and survives a restart', async () => {
    await using f = await Fixture.open();
    f.gateway.online.add('a');
    const { id } = await f.service.create(newTask());
    const run = { taskId: id, clock: f.gateway.clockOf('a') };
    f.service.runStarted('a', run, 123_456);
    await f.restart();
    const open = await f.store.openTask(id);
    assert.equal(open?.hosts[0]?.startedMs, 123_456);
    assert.equal(open.hosts[0].startClock, run.clock);
  });
});
