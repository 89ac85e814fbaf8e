import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstStep } from '../core/first-step.js';
import { plainTask } from '../core/testing/plain-task.js';
import { AgentOrders } from './agent-orders.js';
import { RecordingGateway } from './testing/fixture.js';

const HOSTS = Array.from({ length: 2_500 }, (_, number) => `host-${number}`);
const NOW_MS = 1_800_000_000_000;
const META = plainTask({ id: 7, timeout: 300, created: new Date(NOW_MS) });

/** A task that starts on all hosts at once, whose agents are all there, and what is to be looked at again. */
function started(shared: boolean, connected: (host: string) => boolean = () => true) {
  const gateway = new RecordingGateway();
  for (const host of HOSTS) gateway.online.add(host);
  const again: string[] = [];
  const clock = { nowMs: NOW_MS };
  const orders = new AgentOrders(META.id, {
    gateway,
    nowMs: () => clock.nowMs,
    shared,
    refresh: (hosts) => again.push(...hosts),
  });
  const reach = { connected, holds: () => false, beatMs: () => 0, foreignSchedulerMayReach: () => false };
  const step = firstStep(META, 'start', HOSTS, Infinity, { nowMs: NOW_MS, scheduler: 'me', shared, reach });
  return { gateway, again, clock, orders, step, told: () => gateway.assigns.flatMap(({ hosts }) => hosts) };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('a start of thousands of hosts', () => {
  it('is told to a part of them in each turn of the event loop, in their order', async () => {
    const { orders, step, told } = started(false);
    orders.send(META, step, NOW_MS);
    assert.deepEqual(told(), HOSTS.slice(0, 1_000));
    assert.deepEqual([orders.isQueued('host-999'), orders.isQueued('host-1000')], [false, true]);
    await turn();
    await turn();
    assert.deepEqual(told(), HOSTS);
    assert.ok(HOSTS.every((host) => !orders.isQueued(host)));
  });

  it('is decided anew for those whose turn comes only after the server was stopped', async () => {
    const { orders, step, told, again, clock } = started(true);
    orders.send(META, step, NOW_MS);
    clock.nowMs += 30_000;
    await turn();
    assert.deepEqual(told(), HOSTS.slice(0, 1_000));
    assert.deepEqual(again, HOSTS.slice(1_000));
    assert.ok(HOSTS.every((host) => !orders.isQueued(host)));
  });

  it('is looked at again for agents that came meanwhile, however long it took to store', () => {
    for (const tookMs of [0, 30_000]) {
      const { orders, step, again, clock } = started(true, (host) => host !== 'host-7');
      clock.nowMs += tookMs;
      orders.send(META, step, NOW_MS);
      assert.equal(again.filter((host) => host === 'host-7').length, 1, `after ${tookMs} ms`);
    }
  });
});
