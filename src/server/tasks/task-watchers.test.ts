import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ActionInForce } from '../core/action-in-force.js';
import { Fixture, newTask, result } from './testing/fixture.js';

const HOSTS = ['a', 'b'];

/** A task whose actions are written down as a viewer is told of them, after what it was told at first. */
async function watch(f: Fixture, task: Parameters<typeof newTask>[0]) {
  for (const host of HOSTS) f.gateway.online.add(host);
  const { id } = await f.service.create(newTask({ hosts: HOSTS, batch: 1, ...task }));
  const told: string[] = [];
  const words = ({ action, cause, failed, tolerance, pausedAfter }: ActionInForce): string =>
    [action, cause, cause && `${failed}/${tolerance}`, pausedAfter].filter((part) => part !== null).join(' ');
  const stop = f.service.onAction(id, (action) => told.push(words(action)));
  const first = await f.service.action(id);
  const end = (host: string, status: 'success' | 'failed') =>
    f.service.runEnded(host, result(id, f.gateway.clockOf(host), { status, exitCode: status === 'failed' ? 1 : 0 }));
  return { id, told, stop, end, first: first && words(first) };
}

describe('a watched task', () => {
  it('tells that failures have paused it, and again when a start changes nothing', async () => {
    await using f = await Fixture.open();
    const { id, told, end, first } = await watch(f, {});
    assert.equal(first, 'start');
    await end('a', 'failed');
    assert.deepEqual(told, ['pause tolerance 1/0']);
    await f.service.act(id, 'start');
    assert.deepEqual(told, ['pause tolerance 1/0', 'pause tolerance 1/0']);
    await f.service.actOnHost(id, 'a', 'ignore');
    await f.service.act(id, 'start');
    assert.deepEqual(told.slice(2), ['pause operator 0/0', 'start']);
    await end('b', 'failed');
    assert.equal(told.length, 4);
    assert.equal(await f.service.action(id), undefined);
  });

  it('tells of its pause list, and of an operator', async () => {
    await using f = await Fixture.open();
    const { id, told, stop, end, first } = await watch(f, { pause: 'a' });
    assert.equal(first, 'pause pause-list 0/0 a');
    await end('a', 'success');
    assert.deepEqual(told, []);
    await f.service.act(id, 'start');
    await f.service.act(id, 'pause');
    assert.deepEqual(told, ['start', 'pause operator 0/0']);
    stop();
    await f.service.act(id, 'cancel');
    assert.equal(told.length, 2);
  });

  it('tells of one that was created with pause, also after a restart of the server', async () => {
    await using f = await Fixture.open();
    const { id, first } = await watch(f, { action: 'pause' });
    assert.equal(first, 'pause operator 0/0');
    await f.restart();
    assert.partialDeepStrictEqual(await f.service.action(id), { action: 'pause', cause: 'operator' });
    await f.service.act(id, 'cancel');
    assert.equal(await f.service.action(id), undefined);
    assert.equal(await f.service.action(id + 1), undefined);
  });
});
