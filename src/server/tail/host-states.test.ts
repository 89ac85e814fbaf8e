import assert from 'node:assert/strict';
import { test } from 'node:test';
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

/** States whose changes and details come as a test says. */
class Bench {
  readonly applied: string[] = [];
  readonly asked: (readonly string[] | undefined)[] = [];
  readonly states: HostStates;
  onApplied: (() => void) | undefined;
  change: (state: HostState) => void = () => undefined;

  constructor() {
    const tasks = {
      onChange: (_taskId: number, listener: (state: HostState) => void) => {
        this.change = listener;
        return () => undefined;
      },
    };
    const store = {
      runDetails: (_taskId: number, hosts: readonly string[] = ['a', 'b']) => {
        this.asked.push(hosts);
        return Promise.resolve(hosts.map((host) => ({ ...DETAIL, host, clock: 5 })));
      },
    };
    this.states = new HostStates(tasks, store, 7, {
      apply: ({ host, status }, detail) => {
        this.applied.push(`${host} ${status} ${detail?.exitCode ?? '-'}`);
        this.onApplied?.();
      },
      failed: (error) => assert.fail(String(error)),
    });
  }

  async rest(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('changes of hosts that are not shown cost nothing', async () => {
  const bench = new Bench();
  bench.change({ host: 'other', status: 'success', clock: 5 });
  bench.change({ host: 'a', status: 'running', clock: 5 });
  bench.states.start([{ host: 'a', status: 'waiting', clock: 0 }]);
  bench.change({ host: 'other', status: 'failed', clock: 5 });
  await bench.rest();
  bench.change({ host: 'a', status: 'success', clock: 5 });
  await bench.rest();
  assert.deepEqual(bench.applied, ['a running -', 'a success 0']);
  assert.deepEqual(bench.asked, [['a']]);
});

test('no change is lost, whenever it comes', async () => {
  const bench = new Bench();
  bench.states.start([{ host: 'a', status: 'running', clock: 5 }]);
  await bench.rest();
  for (let turns = 0; turns < 12; turns++) {
    const { length } = bench.applied;
    bench.change({ host: 'a', status: 'running', clock: 5 });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    bench.change({ host: 'a', status: 'success', clock: 5 });
    await bench.rest();
    assert.equal(bench.applied.at(-1), 'a success 0', `${turns} turns later`);
    assert.ok(bench.applied.length > length);
  }
});

test('nothing is applied after the stop, not even what was read for it', async () => {
  const bench = new Bench();
  bench.onApplied = () => bench.states.stop();
  bench.states.start([
    { host: 'a', status: 'success', clock: 5 },
    { host: 'b', status: 'success', clock: 5 },
  ]);
  await bench.rest();
  assert.deepEqual(bench.applied, ['a success 0']);
});
