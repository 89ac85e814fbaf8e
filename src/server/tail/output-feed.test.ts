import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutputFrame } from '../../shared/protocol/agent-frames.js';
import type { TailServerTextFrame } from '../../shared/protocol/tail-frames.js';
import type { HostStatus } from '../../shared/task-states.js';
import type { WatchRequest, WatchSink } from '../agents/session-watches.js';
import type { RunDetail } from '../core/records.js';
import { EMPTY_REPORT } from '../../shared/run-report.js';
import type { HostState } from '../tasks/task-service.js';
import { OutputFeed } from './output-feed.js';
import { agentWindow, viewerWindow } from './windows.js';

const MIB = 1024 * 1024;

const DETAIL: RunDetail = { ...EMPTY_REPORT, taskId: 7, host: 'web-01', clock: 5, endedMs: 9, late: false };

function state(status: HostStatus, clock: number): HostState {
  return { host: 'web-01', status, clock, startBeforeMs: null };
}

/** An output whose agent and viewer do what a test says; what reaches either is kept. */
class Bench {
  connected = true;
  room = true;
  sink: WatchSink | undefined;
  request: WatchRequest | undefined;
  readonly credits: number[] = [];
  readonly sent: (TailServerTextFrame | Omit<OutputFrame, 't'>)[] = [];
  settled = 0;
  stored = 0;
  readonly output: OutputFeed;

  constructor(viewerWindowBytes = 100, agentWindowBytes = 40, version = 2) {
    this.output = new OutputFeed(0, 'web-01', {
      taskId: 7,
      version,
      viewerWindowBytes,
      agentWindowBytes,
      watch: (_host, request, sink) => {
        if (!this.connected) return undefined;
        this.request = request;
        this.sink = sink;
        return { credit: (bytes) => this.credits.push(bytes), [Symbol.dispose]: () => (this.sink = undefined) };
      },
      holdsRun: () => false,
      hasRoom: () => this.room,
      send: (frame) => this.sent.push(frame),
      sendOutput: (frame) => this.sent.push({ ...frame, data: Buffer.from(frame.data) }),
      wantStored: () => this.stored++,
      settled: () => this.settled++,
    });
  }

  agentSends(offset: number, bytes: number): void {
    this.sink?.output({ t: 'output', channel: 1, stream: 'stdout', offset, data: Buffer.alloc(bytes, 'x') });
  }

  get granted(): number {
    return (this.request?.creditBytes ?? 0) + this.credits.reduce((sum, bytes) => sum + bytes, 0);
  }
}

test('the agent never has more credit than its window, and all of it together never more than the viewer gave', () => {
  const bench = new Bench();
  bench.output.update(state('running', 5), undefined);
  assert.equal(bench.granted, 40);
  for (let offset = 0; offset < 100; offset += 10) bench.agentSends(offset, 10);
  assert.equal(bench.granted, 100);
  bench.output.credit(30);
  assert.equal(bench.granted, 130);
  bench.output.credit(10_000);
  assert.ok(bench.granted <= 130 + 40, 'credit beyond the window does not count');
});

test('while the socket is full nothing is asked for; when it has drained, it is', () => {
  const bench = new Bench();
  bench.room = false;
  bench.output.update(state('running', 5), undefined);
  assert.equal(bench.granted, 0);
  bench.output.topUp();
  assert.equal(bench.granted, 0);
  bench.room = true;
  bench.output.topUp();
  assert.equal(bench.granted, 40);
});

test('what an agent may send for many hosts together fits into the socket', () => {
  for (const hosts of [1, 4, 5, 64, 65, 200, 1_000, 8_000, 90_000]) {
    assert.ok(viewerWindow(hosts) >= 64 * 1024 && viewerWindow(hosts) <= MIB);
    assert.ok(agentWindow(hosts) * hosts <= 8 * MIB + 4 * MIB, `${hosts} hosts`);
    assert.ok(agentWindow(hosts) <= viewerWindow(hosts));
  }
});

test('stored output waits for the credit of its viewer, and goes on from the offset that was shown', async () => {
  const bench = new Bench();
  bench.connected = false;
  bench.output.resume(5, 4, 0);
  bench.output.update(state('success', 5), undefined);
  assert.equal(bench.stored, 1);
  bench.sent.length = 0;
  const sending = bench.output.sendStored('stdout', `shown${'y'.repeat(199)}`, 204);
  assert.deepEqual(
    bench.sent.map((frame) => 'data' in frame && [frame.offset, frame.data.length]),
    [[4, 100]],
  );
  bench.output.credit(60);
  bench.output.credit(60);
  assert.equal(await sending, true);
  bench.output.storedSent();
  assert.equal(bench.output.complete, true);
  const sizes = bench.sent.map((frame) => ('data' in frame ? frame.data.length : 0));
  assert.equal(
    sizes.reduce((sum, bytes) => sum + bytes, 0),
    200,
  );
});

test('an agent that comes back while stored output is sent does not send it a second time; a new run ends the sending', async () => {
  const bench = new Bench();
  bench.connected = false;
  bench.output.update(state('failed', 5), undefined);
  const sending = bench.output.sendStored('stdout', 'z'.repeat(300), 300);
  bench.connected = true;
  bench.output.agentReady();
  assert.equal(bench.sink, undefined);
  bench.output.update(state('running', 9), undefined);
  assert.equal(await sending, false);
  assert.deepEqual([bench.request?.clock, bench.request?.stdoutFrom], [9, 0]);
});

test('a host is complete only when it has ended and its output was sent, in either order', () => {
  const first = new Bench();
  first.output.update(state('running', 5), undefined);
  first.sink?.end({ t: 'watch-end', watch: 1, outcome: 'complete', stdoutBytes: 0, stderrBytes: 0 });
  assert.equal(first.output.complete, false);
  first.output.update(state('success', 5), undefined);
  assert.equal(first.output.complete, true);

  const second = new Bench();
  second.output.update(state('running', 5), undefined);
  second.output.update(state('success', 5), undefined);
  assert.equal(second.output.complete, false);
  second.sink?.end({ t: 'watch-end', watch: 1, outcome: 'complete', stdoutBytes: 0, stderrBytes: 0 });
  assert.equal(second.output.complete, true);
});

test('after its end nothing of a viewer is left to be called', async () => {
  const bench = new Bench();
  bench.output.update(state('running', 5), undefined);
  bench.output[Symbol.dispose]();
  assert.equal(bench.sink, undefined);
  bench.output.agentReady();
  assert.equal(bench.sink, undefined);
});

/** What a viewer is sent, in order: types, and the status. */
function sentTypes({ sent }: Bench): string[] {
  return sent.map((frame) => ('data' in frame ? 'output' : frame.t === 'status' ? `status ${frame.status}` : frame.t));
}

test('a final status comes after the last byte; a viewer of before gets it at once', () => {
  const bench = new Bench();
  bench.output.update(state('running', 5), undefined);
  bench.output.update(state('failed', 5), undefined);
  bench.agentSends(0, 10);
  assert.deepEqual(sentTypes(bench), ['status running', 'output']);
  bench.sink?.end({ t: 'watch-end', watch: 1, outcome: 'complete', stdoutBytes: 10, stderrBytes: 0 });
  assert.deepEqual(sentTypes(bench), ['status running', 'output', 'status failed']);

  const old = new Bench(100, 40, 1);
  old.output.update(state('failed', 5), undefined);
  assert.deepEqual(sentTypes(old), ['status failed']);
});

test('output that comes before the status is announced with its run, once, and not after a reconnection', () => {
  const late = new Bench();
  late.output.update(state('failed', 5), undefined);
  late.agentSends(0, 10);
  late.sink?.end({ t: 'watch-end', watch: 1, outcome: 'complete', stdoutBytes: 10, stderrBytes: 0 });
  assert.deepEqual(sentTypes(late), ['run', 'output', 'status failed']);
  late.output.update(state('ignored', 5), undefined);
  assert.deepEqual(sentTypes(late).slice(3), ['status ignored']);

  const back = new Bench();
  back.output.resume(5, 10, 0);
  back.output.update(state('failed', 5), undefined);
  back.sink?.end({ t: 'watch-end', watch: 1, outcome: 'complete', stdoutBytes: 10, stderrBytes: 0 });
  assert.deepEqual(sentTypes(back), ['status failed']);
});

test('a host that is started again has its status of before told first', () => {
  const bench = new Bench();
  bench.output.update(state('running', 5), undefined);
  bench.output.update(state('failed', 5), undefined);
  bench.output.update(state('running', 9), undefined);
  assert.deepEqual(sentTypes(bench), ['status running', 'status failed', 'status running']);
});

test('of a host that no agent has taken its status tells all; of one whose agent left a note does', () => {
  const bench = new Bench();
  bench.connected = false;
  bench.output.update({ ...state('running', 5), startBeforeMs: 9 }, undefined);
  assert.deepEqual(sentTypes(bench), ['status running']);
  bench.output.update(state('running', 5), undefined);
  assert.deepEqual(sentTypes(bench), ['status running', 'status running', 'note']);
});

test('bytes that only the agent has, which is away, are said to be kept; others are not', async () => {
  const gapOf = async (detail: Partial<RunDetail> | undefined): Promise<unknown> => {
    const bench = new Bench();
    bench.connected = false;
    bench.output.update(state('failed', 5), detail && { ...DETAIL, ...detail });
    await bench.output.sendStored('stdout', 'end', 100);
    const gap = bench.sent.find((frame) => 't' in frame && frame.t === 'gap');
    return gap && 'kept' in gap && gap.kept;
  };
  assert.equal(await gapOf({}), true);
  assert.equal(await gapOf({ stdoutTruncated: true }), false);
  assert.equal(await gapOf(undefined), false);
});
