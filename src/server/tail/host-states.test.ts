import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActionInForce } from '../core/action-in-force.js';
import type { RunDetail } from '../core/records.js';
import type { HostState } from '../tasks/task-service.js';
import { HostStates } from './host-states.js';

const DETAIL: Omit<RunDetail, 'host' | 'clock'> = {
  taskId: 7,
  startedMs: 1,
  endedMs: 2,
  exitCode: 0,
  signal: null,
  reason: null,
  stdoutBytes: 0,
  stderrBytes: 0,
  stdoutTruncated: false,
  stderrTruncated: false,
  late: false,
};

const PAUSED: ActionInForce = { action: 'pause', cause: 'tolerance', failed: 1, tolerance: 0, pausedAfter: null };

/** States whose changes and details come as a test says. */
class Bench {
  readonly applied: string[] = [];
  readonly asked: (readonly string[] | undefined)[] = [];
  readonly states: HostStates;
  onApplied: (() => void) | undefined;
  change: (state: HostState) => void = () => undefined;
  act: (action: ActionInForce) => void = () => undefined;

  constructor() {
    const tasks = {
      onChange: (_taskId: number, listener: (state: HostState) => void) => {
        this.change = listener;
        return () => undefined;
      },
      onAction: (_taskId: number, listener: (action: ActionInForce) => void) => {
        this.act = listener;
        return () => undefined;
      },
    };
    const store = {
      runDetails: (_taskId: number, hosts: readonly string[] = ['a', 'b']) => {
        this.asked.push(hosts);
        return Promise.resolve(hosts.map((host) => ({ ...DETAIL, host, clock: 5, startBeforeMs: null })));
      },
    };
    this.states = new HostStates(tasks, store, 7, {
      apply: ({ host, status }, detail) => {
        this.applied.push(`${host} ${status} ${detail?.exitCode ?? '-'}`);
        this.onApplied?.();
      },
      act: ({ action }) => this.applied.push(action),
      failed: (error) => assert.fail(String(error)),
    });
  }

  async rest(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('changes of hosts that are not shown cost nothing', async () => {
  const bench = new Bench();
  bench.change({ host: 'other', status: 'success', clock: 5, startBeforeMs: null });
  bench.change({ host: 'a', status: 'running', clock: 5, startBeforeMs: null });
  bench.states.start([{ host: 'a', status: 'waiting', clock: 0, startBeforeMs: null }], undefined);
  bench.change({ host: 'other', status: 'failed', clock: 5, startBeforeMs: null });
  await bench.rest();
  bench.change({ host: 'a', status: 'success', clock: 5, startBeforeMs: null });
  await bench.rest();
  assert.deepEqual(bench.applied, ['a running -', 'a success 0']);
  assert.deepEqual(bench.asked, [['a']]);
});

test('no change is lost, whenever it comes', async () => {
  const bench = new Bench();
  bench.states.start([{ host: 'a', status: 'running', clock: 5, startBeforeMs: null }], undefined);
  await bench.rest();
  for (let turns = 0; turns < 12; turns++) {
    const { length } = bench.applied;
    bench.change({ host: 'a', status: 'running', clock: 5, startBeforeMs: null });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    bench.change({ host: 'a', status: 'success', clock: 5, startBeforeMs: null });
    await bench.rest();
    assert.equal(bench.applied.at(-1), 'a success 0', `${turns} turns later`);
    assert.ok(bench.applied.length > length);
  }
});

test('nothing is applied after the stop, not even what was read for it', async () => {
  const bench = new Bench();
  bench.onApplied = () => bench.states.stop();
  bench.states.start(
    [
      { host: 'a', status: 'success', clock: 5, startBeforeMs: null },
      { host: 'b', status: 'success', clock: 5, startBeforeMs: null },
    ],
    undefined,
  );
  await bench.rest();
  assert.deepEqual(bench.applied, ['a success 0']);
});

test('an action comes after the changes of hosts that came before it', async () => {
  const bench = new Bench();
  bench.states.start([{ host: 'a', status: 'running', clock: 5, startBeforeMs: null }], { ...PAUSED, action: 'start' });
  await bench.rest();
  bench.change({ host: 'a', status: 'failed', clock: 5, startBeforeMs: null });
  bench.act(PAUSED);
  await bench.rest();
  assert.deepEqual(bench.applied, ['a running -', 'start', 'a failed 0', 'pause']);
  bench.states.stop();
  bench.act(PAUSED);
  await bench.rest();
  assert.equal(bench.applied.length, 4);
});
