import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CLOCK, Play } from '../core/testing/play.js';
import type { Snapshot } from '../core/records.js';
import { diffSnapshot, confirmed, type Memory } from './snapshot-diff.js';

const TASK = { taskId: 7, action: 'start', actionClock: CLOCK, scheduler: 'me' };

function memoryOf(play: Play | undefined, mine = true): Memory {
  return {
    scheduler: 'me',
    state: (taskId) => (taskId === 7 ? play?.state : undefined),
    owns: () => mine,
    present: (host) => host !== 'away',
    holds: (host) => host === 'busy',
  };
}

function doing(host: string, action = 'start', clock = CLOCK): Snapshot['activeRuns'][number] {
  return { taskId: 7, host, clock, action };
}

function looks(survey: Snapshot, memory: Memory, taskIds: readonly number[] = [7]): Record<string, unknown> {
  return Object.fromEntries(diffSnapshot(survey, memory, taskIds));
}

describe('a task of this server', () => {
  it('needs no look while the rows are as it knows them', () => {
    const doings = [doing('a'), doing('b')];
    assert.deepEqual(looks({ tasks: [TASK], activeRuns: doings }, memoryOf(new Play())), {});
  });

  it('has hosts that others ended, killed or started again', () => {
    const play = new Play({ hosts: ['a', 'b', 'c', 'd'] });
    play.end('d');
    const doings = [doing('b', 'kill', CLOCK + 5), doing('c', 'start', CLOCK + 9), doing('d')];
    const found = looks({ tasks: [TASK], activeRuns: doings }, memoryOf(play));
    assert.deepEqual(found, { 7: ['a', 'b', 'c', 'd'] });
  });

  it('is looked at as a whole where its action, its scheduler or its end was written by others', () => {
    const memory = memoryOf(new Play());
    const doings = [doing('a'), doing('b')];
    assert.deepEqual(looks({ tasks: [{ ...TASK, action: 'pause' }], activeRuns: doings }, memory), { 7: 'all' });
    assert.deepEqual(looks({ tasks: [{ ...TASK, actionClock: CLOCK + 1 }], activeRuns: doings }, memory), { 7: 'all' });
    assert.deepEqual(looks({ tasks: [{ ...TASK, scheduler: 'other' }], activeRuns: doings }, memory), { 7: 'all' });
    assert.deepEqual(looks({ tasks: [], activeRuns: [] }, memory), { 7: 'all' });
  });
});

describe("another server's task", () => {
  const tasks = [{ ...TASK, scheduler: 'other' }];

  it('concerns this one where an agent is connected here', () => {
    const found = looks({ tasks, activeRuns: [doing('a'), doing('away')] }, memoryOf(undefined));
    assert.deepEqual(found, { 7: ['a'] });
    assert.deepEqual(looks({ tasks, activeRuns: [doing('away')] }, memoryOf(undefined)), {});
  });

  it('does not once the agent has the run, but for its kill', () => {
    assert.deepEqual(looks({ tasks, activeRuns: [doing('busy')] }, memoryOf(undefined)), {});
    assert.deepEqual(looks({ tasks, activeRuns: [doing('busy', 'kill')] }, memoryOf(undefined)), { 7: ['busy'] });
  });

  it('is looked at where it differs from what was passed on, and where more of it comes', () => {
    const memory = memoryOf(new Play({ hosts: ['a', 'b'] }), false);
    assert.deepEqual(looks({ tasks, activeRuns: [doing('a'), doing('b')] }, memory), {});
    assert.deepEqual(looks({ tasks, activeRuns: [doing('a'), doing('c')] }, memory), { 7: ['b', 'c'] });
  });

  it('that is taken over is looked at as a whole', () => {
    assert.deepEqual(looks({ tasks: [TASK], activeRuns: [] }, memoryOf(new Play(), false)), { 7: 'all' });
  });
});

it('a task whose rows do not say one scheduler concerns a server that schedules nothing', () => {
  const tasks = [{ ...TASK, scheduler: undefined }];
  const doings = [doing('a')];
  const gateway = { scheduler: undefined };
  assert.deepEqual(looks({ tasks, activeRuns: doings }, { ...memoryOf(undefined), ...gateway }), { 7: ['a'] });
  const known = new Play({ hosts: ['a'] });
  assert.deepEqual(looks({ tasks, activeRuns: doings }, { ...memoryOf(known, false), ...gateway }), {});
  assert.deepEqual(looks({ tasks, activeRuns: doings }, memoryOf(undefined)), {});
});

it('what is not in memory and has this server as scheduler is just being made, or ending', () => {
  assert.deepEqual(looks({ tasks: [TASK], activeRuns: [doing('a')] }, memoryOf(undefined)), {});
});

it('counts only what two looks agree on', () => {
  const first = new Map<number, readonly string[] | 'all'>([
    [1, ['a', 'b']],
    [2, 'all'],
    [3, ['a']],
    [4, 'all'],
  ]);
  const second = new Map<number, readonly string[] | 'all'>([
    [1, ['b', 'c']],
    [2, ['x']],
    [3, ['b']],
    [5, 'all'],
  ]);
  assert.deepEqual(Object.fromEntries(confirmed(first, second)), { 1: ['b'], 2: ['x'] });
});
