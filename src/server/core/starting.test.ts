import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CLOCK, Play } from './testing/play.js';

describe('starting', () => {
  it('batch 0: all hosts at once, in the change that creates the task', () => {
    const play = new Play();
    assert.deepEqual(play.statuses(), ['running', 'running']);
    const [create] = play.changes;
    assert.equal(play.changes.length, 1);
    assert.ok(create?.kind === 'create-task');
    assert.deepEqual(create.hosts, [
      { host: 'a', startClock: CLOCK },
      { host: 'b', startClock: CLOCK },
    ]);
    assert.deepEqual(
      play.effects.map(({ kind, host }) => [kind, host]),
      [
        ['assign', 'a'],
        ['assign', 'b'],
      ],
    );
  });

  it('batch 1: one at a time in the order given', () => {
    const play = new Play({ batch: 1, hosts: ['c', 'a', 'b'] });
    assert.deepEqual(play.statuses(), ['running', 'waiting', 'waiting']);
    play.end('c');
    assert.deepEqual(play.statuses(), ['success', 'running', 'waiting']);
    play.end('a');
    play.end('b');
    assert.equal(play.state.ended, true);
    assert.equal(play.changes.at(-1)?.kind, 'end-task');
  });

  it('created paused: nothing runs before the start', () => {
    const play = new Play({ action: 'pause' });
    assert.deepEqual(play.statuses(), ['waiting', 'waiting']);
    assert.deepEqual(play.act('start'), { outcome: 'done' });
    assert.deepEqual(play.statuses(), ['running', 'running']);
  });

  it('pause list: pauses after that host was started, and start goes on with the rest', () => {
    const play = new Play({ pause: 'a, c', hosts: ['a', 'b', 'c', 'd'] });
    assert.deepEqual(play.statuses(), ['running', 'waiting', 'waiting', 'waiting']);
    assert.equal(play.state.action, 'pause');
    const [create] = play.changes;
    assert.ok(create?.kind === 'create-task' && create.action === 'pause');
    play.act('start');
    assert.deepEqual(play.statuses(), ['running', 'running', 'running', 'waiting']);
    assert.equal(play.state.action, 'pause');
  });

  it('pause while running: the next is held back until the start', () => {
    const play = new Play({ batch: 1 });
    play.act('pause');
    play.end('a');
    assert.deepEqual(play.statuses(), ['success', 'waiting']);
    assert.equal(play.state.ended, false);
    play.act('start');
    assert.deepEqual(play.statuses(), ['success', 'running']);
  });
});

describe('tolerance', () => {
  it('one failure too many pauses while hosts wait; start alone pauses again; ignore, then start', () => {
    const play = new Play({ batch: 1 });
    play.end('a', 'failed');
    assert.equal(play.state.action, 'pause');
    play.act('start');
    assert.equal(play.state.action, 'pause');
    assert.deepEqual(play.statuses(), ['failed', 'waiting']);
    assert.deepEqual(play.actOn('a', 'ignore'), { outcome: 'done', hint: 'you can click start to run the task' });
    play.act('start');
    assert.deepEqual(play.statuses(), ['ignored', 'running']);
  });

  it('counts failed, timeout and killfailed, and nothing else', () => {
    for (const status of ['failed', 'timeout', 'killfailed', 'killed'] as const) {
      const play = new Play({ batch: 1 });
      play.end('a', status);
      assert.equal(play.state.action, status === 'killed' ? 'start' : 'pause', status);
    }
    const play = new Play({ batch: 1, tolerance: 1 });
    play.end('a', 'failed');
    assert.deepEqual(play.statuses(), ['failed', 'running']);
  });

  it('does not pause a task that has nothing left to hold back', () => {
    const play = new Play();
    play.end('a', 'failed');
    assert.equal(play.state.action, 'start');
    play.end('b', 'failed');
    assert.equal(play.state.ended, true);
  });
});
