import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainTask } from './testing/plain-task.js';
import { TASK_AGE_LIMIT_MS } from './deadlines.js';
import { resumeTask } from './resume-task.js';
import { CLOCK, Play, START_MS } from './testing/play.js';

describe('deadlines', () => {
  it('never delivered: timeout when the last moment of start has passed', () => {
    const play = new Play();
    play.wakeUntil(() => play.state.ended);
    assert.equal(play.nowMs, START_MS + 30_000);
    assert.deepEqual(play.statuses(), ['timeout', 'timeout']);
    const end = play.changes.find(({ kind }) => kind === 'end-host');
    assert.ok(end?.kind === 'end-host');
    assert.equal(end.detail?.reason, 'not-started');
  });

  it('an agent that asks for its work has at least three of its beats to start a run', () => {
    for (const [beatMs, timeout, endsMs] of [
      [1_000, 2, 3_000],
      [5_000, 2, 15_000],
      [1_000, 30, 30_000],
      [0, 2, 2_000],
    ] as const) {
      const play = new Play({ timeout, hosts: ['a'] });
      play.beatMs = beatMs;
      play.wakeUntil(() => play.state.ended);
      assert.equal(play.nowMs, START_MS + endsMs, `a beat of ${beatMs} ms, a timeout of ${timeout} s`);
    }
  });

  it('StartWithin shortens it', () => {
    const play = new Play({ startWithinMs: 4_000 });
    play.wakeUntil(() => play.state.ended);
    assert.equal(play.nowMs, START_MS + 4_000);
  });

  it('started: only after timeout, kill grace and slack, and not while a session holds the run', () => {
    const play = new Play({ hosts: ['a'] });
    play.connected.add('a');
    play.nowMs += 20_000;
    play.send({ kind: 'started', host: 'a', clock: CLOCK, startedMs: 5 });
    assert.equal(play.changes[0]?.kind, 'host-started');
    play.held.add(`a ${CLOCK}`);
    play.wakeUntil(() => play.nowMs >= START_MS + 80_000);
    assert.deepEqual(play.statuses(), ['running']);
    play.held.clear();
    play.wakeUntil(() => play.state.ended);
    assert.deepEqual(play.statuses(), ['timeout']);
    const end = play.changes.find((change) => change.kind === 'end-host');
    assert.equal(end?.detail?.reason, 'silent');
    assert.equal(end.detail.startedMs, 5);
    const other = new Play({ hosts: ['a'] });
    other.nowMs += 20_000;
    other.send({ kind: 'started', host: 'a', clock: CLOCK, startedMs: 5 });
    other.wakeUntil(() => other.state.ended);
    assert.equal(other.nowMs, START_MS + 20_000 + 30_000 + 10_000);
  });

  it('a kill that is never answered ends as killfailed', () => {
    const play = new Play({ hosts: ['a'] });
    play.connected.add('a');
    play.act('kill');
    play.wakeUntil(() => play.state.ended);
    assert.deepEqual(play.statuses(), ['killfailed']);
    assert.equal(play.nowMs, START_MS + 20_000);
  });

  it('a place that a deadline frees is given to the next host', () => {
    const play = new Play({ batch: 1, tolerance: 5 });
    play.wakeUntil(() => play.entry('b').status === 'running');
    assert.equal(play.entry('a').status, 'timeout');
    assert.deepEqual(
      play.effects.map(({ host }) => host),
      ['b'],
    );
  });

  it('a task older than two weeks ends', () => {
    const play = new Play({ action: 'pause' });
    assert.equal(play.state.wakeAtMs, CLOCK * 1_000 + TASK_AGE_LIMIT_MS);
    play.wakeUntil(() => play.state.ended);
    assert.deepEqual(play.statuses(), ['cancelled', 'cancelled']);
  });
});

describe('resuming', () => {
  const row = {
    startClock: CLOCK,
    startedMs: null,
    reported: false,
    activeRun: undefined,
    strayClock: undefined,
    dispatched: false,
  };
  type Row = Parameters<typeof resumeTask>[0]['hosts'][number];

  function resume(play: Play, hosts: readonly Row[], judgeFromMs: number): void {
    const meta = plainTask({ id: 7, batch: 1, created: new Date(play.state.rules.createdMs) });
    const open = { meta, action: 'start', actionClock: CLOCK, scheduler: 'me', hosts } as const;
    play.state = resumeTask(open, { startWithinMs: Infinity, judgeFromMs }, play.nowMs);
  }

  it('goes on where the rows are, and asks to be woken at once', () => {
    const play = new Play({ batch: 1, hosts: ['a', 'b'] });
    const hosts = [
      { ...row, host: 'a', status: 'success', reported: true },
      { ...row, host: 'b', status: 'waiting', startClock: 0 },
    ] as const;
    resume(play, hosts, play.nowMs + 20_000);
    assert.ok(play.state.wakeAtMs <= play.nowMs);
    play.send({ kind: 'wake' });
    assert.deepEqual(play.statuses(), ['success', 'running']);
    play.end('b');
    assert.equal(play.state.ended, true);
  });

  it('ends a paused task that a server without our rows has begun, once its last host is ignored', () => {
    const play = new Play({ hosts: ['a', 'b'] });
    const never = { ...row, startClock: 0 };
    const hosts = [
      { ...never, host: 'a', status: 'success' },
      { ...never, host: 'b', status: 'waiting' },
    ] as const;
    const meta = plainTask({ id: 7, created: new Date(play.state.rules.createdMs) });
    const open = { meta, action: 'pause', actionClock: CLOCK + 60, scheduler: 'me', hosts } as const;
    play.state = resumeTask(open, { startWithinMs: Infinity, judgeFromMs: 0 }, play.nowMs);
    play.actOn('b', 'ignore');
    assert.equal(play.state.ended, true);
  });

  it('gives up a host that is said to run though no row tells of its start', () => {
    const play = new Play({ hosts: ['a'] });
    resume(play, [{ ...row, host: 'a', status: 'running', startClock: 0 }], 0);
    play.send({ kind: 'wake' });
    assert.deepEqual(play.statuses(), ['timeout']);
    // There is nothing that could be held against others.
    assert.deepEqual(
      play.changes.map(({ kind }) => kind),
      ['end-host', 'end-task'],
    );
  });
});
