import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CLOCK, Play } from './testing/play.js';

describe('task actions', () => {
  it('cancel: waiting hosts are cancelled at once, running ones go on', () => {
    const play = new Play({ batch: 1 });
    play.act('cancel');
    assert.deepEqual(play.statuses(), ['running', 'cancelled']);
    assert.equal(play.state.action, 'cancel');
    play.end('a');
    assert.equal(play.state.ended, true);
  });

  it('kill of a paused task: hosts that never ran become cancelled', () => {
    const play = new Play({ action: 'pause' });
    play.act('kill');
    assert.deepEqual(play.statuses(), ['cancelled', 'cancelled']);
    assert.equal(play.state.ended, true);
    assert.deepEqual(play.act('start'), {
      outcome: 'refused',
      why: 'task already finished, no more action can do',
    });
    assert.deepEqual(play.actOn('a', 'redo'), {
      outcome: 'refused',
      why: 'task already finished, no more action can do',
    });
  });

  it('kill: sent where an agent is there, settled where the run never left the server', () => {
    const play = new Play({ action: 'pause' });
    play.connected.add('a');
    play.act('start');
    play.act('kill');
    assert.deepEqual(play.statuses(), ['killing', 'killed']);
    assert.deepEqual(play.effects, [{ kind: 'kill', host: 'a', clock: CLOCK }]);
    const kill = play.changes.find((change) => change.kind === 'kill-host');
    assert.equal(kill?.startClock, CLOCK);
    assert.ok(kill.clock > CLOCK);
  });

  it('kill: waits for an agent that took the run and is away', () => {
    const play = new Play({ action: 'pause', hosts: ['a'] });
    play.connected.add('a');
    play.act('start');
    play.connected.clear();
    play.act('kill');
    assert.deepEqual(play.statuses(), ['killing']);
    play.list('a', new Map([[CLOCK, 'running']]));
    assert.deepEqual(play.effects, [{ kind: 'kill', host: 'a', clock: CLOCK }]);
    play.end('a', 'killed');
    assert.equal(play.state.ended, true);
  });

  it('kill in the same moment as the start: the assignment is not sent', () => {
    const play = new Play({ action: 'pause', hosts: ['a'] });
    play.send({ kind: 'task-action', action: 'start' }, { kind: 'task-action', action: 'kill' });
    assert.deepEqual(play.statuses(), ['killed']);
    assert.deepEqual(play.effects, []);
  });
});

describe('a task created with pause', () => {
  const hint = { outcome: 'done', hint: 'you can click start to run the task' };

  it('stays paused when all its hosts are ignored, until it is started', () => {
    const play = new Play({ action: 'pause' });
    for (const host of ['a', 'b']) assert.deepEqual(play.actOn(host, 'ignore'), hint);
    assert.deepEqual([play.state.action, play.state.ended], ['pause', false]);
    assert.deepEqual(play.act('start'), { outcome: 'done' });
    assert.deepEqual(play.statuses(), ['ignored', 'ignored']);
    assert.equal(play.state.ended, true);
  });

  it('stays paused when hosts were started by a redo and the others are ignored', () => {
    const play = new Play({ action: 'pause' });
    assert.deepEqual(play.actOn('a', 'redo'), { outcome: 'done' });
    assert.deepEqual(play.statuses(), ['running', 'waiting']);
    play.end('a');
    assert.deepEqual(play.actOn('b', 'ignore'), hint);
    assert.equal(play.state.ended, false);
    play.act('start');
    assert.deepEqual(play.statuses(), ['success', 'ignored']);
    assert.equal(play.state.ended, true);
  });

  it('ends by cancel and by kill also where nothing waits any more', () => {
    for (const action of ['cancel', 'kill'] as const) {
      const play = new Play({ action: 'pause' });
      for (const host of ['a', 'b']) play.actOn(host, 'ignore');
      play.act('pause');
      assert.equal(play.state.ended, false);
      assert.deepEqual(play.act(action), { outcome: 'done' });
      assert.deepEqual(play.statuses(), ['ignored', 'ignored']);
      assert.equal(play.state.ended, true, action);
    }
  });

  it('ends with its last host once it was started, though it is paused again', () => {
    const play = new Play({ action: 'pause', batch: 1 });
    play.act('start');
    play.act('pause');
    play.end('a');
    assert.deepEqual(play.actOn('b', 'ignore'), hint);
    assert.equal(play.state.ended, true);
  });

  it('ends after two weeks all the same', () => {
    const play = new Play({ action: 'pause' });
    play.actOn('a', 'ignore');
    play.wakeUntil(() => play.state.ended);
    assert.deepEqual(play.statuses(), ['ignored', 'cancelled']);
    const ignored = new Play({ action: 'pause', hosts: ['a'] });
    ignored.actOn('a', 'ignore');
    ignored.wakeUntil(() => ignored.state.ended);
  });
});

describe('host actions', () => {
  it('are refused for a host the task does not have', () => {
    const play = new Play();
    for (const action of ['ignore', 'redo', 'kill'] as const) {
      assert.deepEqual(play.actOn('zz', action), { outcome: 'refused', why: 'no such host' });
    }
  });

  it('kill: only running or timed-out hosts', () => {
    const play = new Play({ batch: 1 });
    assert.deepEqual(play.actOn('b', 'kill'), { outcome: 'refused', why: 'current status cannot kill' });
    play.connected.add('a');
    play.actOn('a', 'kill');
    assert.deepEqual(play.actOn('a', 'kill'), { outcome: 'refused', why: 'current status cannot kill' });
  });

  it('kill of a timed-out host: nothing runs there if the agent said so itself, else the agent is asked', () => {
    const reported = new Play({ hosts: ['a', 'b'] });
    reported.connected.add('a');
    reported.end('a', 'timeout');
    reported.actOn('a', 'kill');
    assert.equal(reported.entry('a').status, 'killed');
    const assumed = new Play({ hosts: ['a', 'b'], action: 'pause' });
    assumed.connected.add('a');
    assumed.act('start');
    assumed.held.add(`b ${CLOCK}`);
    assumed.wakeUntil(() => assumed.entry('a').status === 'timeout');
    assumed.actOn('a', 'kill');
    assert.equal(assumed.entry('a').status, 'killing');
  });

  it('redo: under a greater clock, at once, even while the task is paused', () => {
    const play = new Play({ batch: 1 });
    play.end('a', 'failed');
    play.actOn('a', 'redo');
    assert.deepEqual(play.statuses(), ['running', 'waiting']);
    assert.equal(play.state.action, 'pause');
    assert.ok(play.entry('a').startClock > CLOCK);
    play.end('a');
    assert.deepEqual(play.statuses(), ['success', 'waiting']);
  });

  it('redo: changes nothing for a running or killing host', () => {
    const play = new Play();
    play.connected.add('b');
    play.actOn('b', 'kill');
    for (const host of ['a', 'b']) {
      const before = play.state;
      assert.deepEqual(play.actOn(host, 'redo'), { outcome: 'done' });
      assert.deepEqual(play.changes, []);
      assert.deepEqual(play.effects, []);
      assert.deepEqual(play.state, before);
    }
  });

  it('ignore: frees the place of a running host and ends a task whose hosts are all final', () => {
    const play = new Play({ batch: 1 });
    assert.deepEqual(play.actOn('a', 'ignore'), { outcome: 'done' });
    assert.deepEqual(play.statuses(), ['ignored', 'running']);
    play.end('b');
    assert.equal(play.state.ended, true);
  });
});
