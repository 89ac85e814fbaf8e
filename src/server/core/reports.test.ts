import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CLOCK, Play, resultOf } from './testing/play.js';

describe('results', () => {
  it('the first final status of a clock stands', () => {
    const play = new Play();
    play.end('a', 'failed');
    assert.deepEqual(play.end('a', 'success'), { outcome: 'stored' });
    assert.equal(play.entry('a').status, 'failed');
    assert.deepEqual(play.changes, []);
  });

  it('late ones add output only, once', () => {
    const play = new Play();
    play.actOn('a', 'ignore');
    assert.deepEqual(play.end('a'), { outcome: 'stored' });
    const [late] = play.changes;
    assert.ok(late?.kind === 'late-output');
    assert.deepEqual(late.output, { stdout: `${CLOCK}`, stderr: '' });
    assert.equal(late.detail.late, true);
    assert.equal(play.entry('a').status, 'ignored');
    play.end('a');
    assert.deepEqual(play.changes, []);
  });

  it('of an older start leave the output of the newer one alone', () => {
    const play = new Play();
    play.actOn('a', 'ignore');
    play.actOn('a', 'redo');
    play.end('a', 'success', CLOCK);
    const [late] = play.changes;
    assert.ok(late?.kind === 'late-output');
    assert.equal(late.output, undefined);
    assert.equal(late.detail.clock, CLOCK);
    assert.equal(play.entry('a').status, 'running');
  });

  it('of a host or clock that was never given are unknown', () => {
    const play = new Play();
    assert.deepEqual(play.end('a', 'success', CLOCK + 1), { outcome: 'unknown' });
    assert.deepEqual(play.send(resultOf('zz', CLOCK, 'success')), [{ outcome: 'unknown' }]);
    assert.deepEqual(play.statuses(), ['running', 'running']);
  });

  it('in one step with the report of their start, store both at once', () => {
    const play = new Play({ hosts: ['a'] });
    play.send({ kind: 'started', host: 'a', clock: CLOCK, startedMs: 77 }, resultOf('a', CLOCK, 'success', null));
    assert.deepEqual(
      play.changes.map(({ kind }) => kind),
      ['end-host', 'end-task'],
    );
    const [end] = play.changes;
    assert.equal(end?.kind === 'end-host' && end.detail?.startedMs, 77);
  });

  it("with the start's clock are taken while the row shows the kill", () => {
    const play = new Play();
    play.connected.add('a');
    play.actOn('a', 'kill');
    assert.deepEqual(play.end('a', 'success', CLOCK), { outcome: 'stored' });
    assert.equal(play.entry('a').status, 'success');
  });
});

describe("an agent's list", () => {
  it('that lacks a run gets it assigned again, until its last moment of start', () => {
    const play = new Play({ hosts: ['a'] });
    play.list('a', new Map());
    assert.deepEqual(play.effects, [{ kind: 'assign', host: 'a', clock: CLOCK }]);
    play.list('a', new Map([[CLOCK, 'accepted']]));
    assert.deepEqual(play.effects, []);
    const late = new Play({ hosts: ['a'] });
    late.nowMs += 30_000;
    late.list('a', new Map());
    assert.deepEqual(late.effects, []);
  });

  it('that lacks a started run gets it assigned again: the claim decides', () => {
    const play = new Play({ hosts: ['a'] });
    play.send({ kind: 'started', host: 'a', clock: CLOCK, startedMs: 5 });
    play.nowMs += 35_000;
    play.list('a', new Map());
    assert.deepEqual(play.effects, [{ kind: 'assign', host: 'a', clock: CLOCK }]);
  });

  it('from a new MetaDir loses what the agent had taken, and only that', () => {
    const play = new Play();
    play.send({ kind: 'started', host: 'a', clock: CLOCK, startedMs: 5 });
    play.list('a', new Map(), true);
    play.list('b', new Map(), true);
    assert.deepEqual(play.statuses(), ['failed', 'running']);
  });

  it('with a run that is settled as killed gets the kill; one that is ignored is left alone', () => {
    const play = new Play({ hosts: ['a', 'b', 'c'] });
    play.actOn('a', 'kill');
    play.actOn('b', 'ignore');
    play.list('a', new Map([[CLOCK, 'running']]));
    assert.deepEqual(play.effects, [{ kind: 'kill', host: 'a', clock: CLOCK }]);
    play.list('b', new Map([[CLOCK, 'running']]));
    assert.deepEqual(play.effects, []);
  });
});

describe('a run that its agent has lost', () => {
  it('has failed, and a result that comes after all adds its output', () => {
    const play = new Play();
    play.send({ kind: 'lost', host: 'a', clock: CLOCK, output: { stdout: 'so far', stderr: 'ibex: lost' } });
    assert.equal(play.entry('a').status, 'failed');
    const [end] = play.changes.filter((change) => change.kind === 'end-host');
    assert.deepEqual([end?.output?.stdout, end?.detail?.reason], ['so far', 'lost']);
    play.end('a', 'success');
    assert.equal(play.entry('a').status, 'failed');
    assert.equal(play.changes[0]?.kind, 'late-output');
  });

  it('that was to be killed was not', () => {
    const play = new Play();
    play.send({ kind: 'started', host: 'a', clock: CLOCK, startedMs: 1 });
    play.actOn('a', 'kill');
    play.send({ kind: 'lost', host: 'a', clock: CLOCK, output: { stdout: '', stderr: '' } });
    assert.equal(play.entry('a').status, 'killfailed');
  });

  it('changes nothing under another clock, nor once it has ended', () => {
    const play = new Play();
    play.send({ kind: 'lost', host: 'a', clock: CLOCK - 1, output: { stdout: '', stderr: '' } });
    assert.equal(play.entry('a').status, 'running');
    play.end('a', 'success');
    play.send({ kind: 'lost', host: 'a', clock: CLOCK, output: { stdout: '', stderr: '' } });
    assert.equal(play.entry('a').status, 'success');
    assert.deepEqual(play.changes, []);
  });
});
