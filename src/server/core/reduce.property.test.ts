import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { isFinal, type HostStatus } from '../../shared/task-states.js';
import type { TaskMeta } from './records.js';
import { firstStep } from './first-step.js';
import type { Effect, TaskEvent } from './events.js';
import { reduce } from './reduce.js';
import { isActive } from '../../shared/task-states.js';
import { activeHosts, type HostEntry, type TaskState } from './task-state.js';

const HOSTS = ['a', 'b', 'c', 'd', 'e'];
const host = fc.constantFrom(...HOSTS, 'stranger');
/** Clocks are named by how far they lie behind the newest one, so that most of them mean something. */
const age = fc.integer({ min: -1, max: 3 });

type Move =
  | { kind: 'task-action'; action: 'start' | 'pause' | 'cancel' | 'kill' }
  | { kind: 'host-action'; host: string; action: 'ignore' | 'redo' | 'kill' }
  | { kind: 'result'; host: string; age: number; status: 'success' | 'failed' | 'timeout' | 'killed' | 'killfailed' }
  | { kind: 'started'; host: string; age: number }
  | { kind: 'listed'; host: string; age: number | undefined; newStore: boolean }
  | { kind: 'wait'; ms: number }
  | { kind: 'connect'; host: string; on: boolean };

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constant('task-action' as const),
    action: fc.constantFrom('start', 'start', 'start', 'pause', 'cancel', 'kill'),
  }),
  fc.record({ kind: fc.constant('host-action' as const), host, action: fc.constantFrom('ignore', 'redo', 'kill') }),
  fc.record({
    kind: fc.constant('result' as const),
    host,
    age,
    status: fc.constantFrom('success', 'success', 'failed', 'timeout', 'killed', 'killfailed'),
  }),
  fc.record({ kind: fc.constant('started' as const), host, age }),
  fc.record({
    kind: fc.constant('listed' as const),
    host,
    age: fc.option(age, { nil: undefined }),
    newStore: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
  fc.record({ kind: fc.constant('connect' as const), host, on: fc.boolean() }),
);

const RANK: Record<HostStatus, number> = {
  waiting: 0,
  running: 1,
  killing: 2,
  success: 3,
  failed: 3,
  timeout: 3,
  killed: 3,
  killfailed: 3,
  cancelled: 3,
  ignored: 3,
};

/** Runs moves against a task and checks after each that nothing has happened that never may. */
class Watch {
  nowMs = 1_800_000_000_000;
  readonly #batch: number;
  /** created with `pause`, and neither started nor cancelled nor killed since */
  #awaitsStart: boolean;
  readonly #connected = new Set<string>();
  readonly #starts = new Map<string, Set<number>>();
  state: TaskState;

  constructor(batch: number, tolerance: number, pause: string, action: 'start' | 'pause') {
    this.#batch = batch;
    this.#awaitsStart = action === 'pause';
    const meta: TaskMeta = {
      id: 1,
      title: '',
      account: 'root',
      batch,
      tolerance,
      timeout: 30,
      pause,
      script: '',
      args: '',
      stdin: '',
      creator: '',
      created: new Date(this.nowMs),
    };
    const step = firstStep(meta, action, HOSTS, Infinity, this.#context());
    this.state = step.state;
    for (const entry of step.state.hosts) if (entry.startClock > 0) this.#noteStart(entry);
    this.#checkWhole();
  }

  play(moves: readonly Move[]): void {
    const events: TaskEvent[] = [];
    for (const next of moves) {
      if (next.kind === 'wait') {
        this.nowMs += next.ms;
        if (this.nowMs >= this.state.wakeAtMs) events.push({ kind: 'wake' });
      } else if (next.kind === 'connect') {
        if (next.on) this.#connected.add(next.host);
        else this.#connected.delete(next.host);
      } else events.push(this.#event(next));
    }
    if (events.some((event) => event.kind === 'task-action' && event.action !== 'pause')) this.#awaitsStart = false;
    const before = this.state;
    const step = reduce(before, events, this.#context());
    this.state = step.state;
    assert.equal(step.answers.length, events.length);
    for (const change of step.changes)
      if (change.kind === 'start-host') this.#noteStart({ ...change, startClock: change.clock });
    this.state.hosts.forEach((entry, position) => this.#checkHost(before.hosts[position], entry, events));
    this.#checkEffects(step.effects);
    if (before.ended) assert.equal(this.state.ended, true);
    // An operator's redo, or kill of a host that was given up, may go beyond the batch; scheduling may not.
    const forced = events.some((event) => event.kind === 'host-action' && event.action !== 'ignore');
    if (this.#batch > 0 && !forced) {
      const atMost = Math.max(this.#batch, activeHosts(before.counts));
      assert.ok(activeHosts(this.state.counts) <= atMost, `${activeHosts(this.state.counts)} hosts run`);
    }
    this.#checkWhole();
  }

  /** Waits until every deadline has passed. */
  exhaust(): void {
    this.play([{ kind: 'task-action', action: 'cancel' }]);
    for (let wakes = 0; !this.state.ended; wakes++) {
      assert.ok(wakes < 50, 'the task never ends');
      this.play([{ kind: 'wait', ms: Math.max(0, this.state.wakeAtMs - this.nowMs) }]);
    }
  }

  #noteStart({ host: name, startClock }: Pick<HostEntry, 'host' | 'startClock'>): void {
    const clocks = this.#starts.get(name) ?? new Set<number>();
    this.#starts.set(name, clocks);
    assert.ok(startClock > Math.max(0, ...clocks), `${name} was started twice for clock ${startClock}, or backwards`);
    clocks.add(startClock);
  }

  #checkHost(before: HostEntry | undefined, after: HostEntry, events: readonly TaskEvent[]): void {
    assert.ok(before);
    if (before.startClock !== after.startClock) return;
    assert.ok(
      RANK[after.status] >= RANK[before.status] || after.status === 'killing',
      `${before.status} -> ${after.status}`,
    );
    if (!isFinal(before.status) || before.status === after.status) return;
    const asked = events.some((event) => event.kind === 'host-action' || event.kind === 'task-action');
    assert.ok(asked, `${before.status} became ${after.status} though nobody asked for it`);
  }

  #checkEffects(effects: readonly Effect[]): void {
    for (const effect of effects) {
      const entry = this.state.hosts.find((candidate) => candidate.host === effect.host);
      assert.equal(entry?.startClock, effect.clock);
      if (effect.kind === 'assign') assert.equal(entry?.status, 'running');
    }
  }

  #checkWhole(): void {
    const { hosts, counts, ended, wakeAtMs } = this.state;
    const final = hosts.every(({ status }) => isFinal(status));
    if (ended) assert.ok(final, 'the task has ended before its hosts');
    else assert.ok(!final || this.#awaitsStart, 'the task has not ended with its hosts');
    for (const status of Object.keys(RANK)) {
      const count = Object.entries(counts).find(([name]) => name === status)?.[1];
      assert.equal(count, hosts.filter((entry) => entry.status === status).length, status);
    }
    if (hosts.some(({ status }) => isActive(status))) assert.ok(Number.isFinite(wakeAtMs));
  }

  #event(next: Exclude<Move, { kind: 'wait' | 'connect' }>): TaskEvent {
    switch (next.kind) {
      case 'task-action':
      case 'host-action':
        return next;
      case 'started':
        return { kind: 'started', host: next.host, clock: this.#clock(next.host, next.age), startedMs: 1 };
      case 'listed': {
        const runs = new Map<number, 'running'>();
        if (next.age !== undefined) runs.set(this.#clock(next.host, next.age), 'running');
        return { kind: 'listed', host: next.host, runs, newStore: next.newStore };
      }
      case 'result': {
        const report = {
          exitCode: 0,
          signal: null,
          reason: null,
          startedMs: 1,
          endedMs: 2,
          stdoutBytes: 0,
          stderrBytes: 0,
          stdoutTruncated: false,
          stderrTruncated: false,
        };
        const clock = this.#clock(next.host, next.age);
        return {
          kind: 'result',
          host: next.host,
          clock,
          status: next.status,
          output: { stdout: '', stderr: '' },
          report,
        };
      }
      default:
        return next satisfies never;
    }
  }

  #clock(name: string, older: number): number {
    const entry = this.state.hosts.find((candidate) => candidate.host === name);
    return (entry?.startClock ?? 1_800_000_000) - older;
  }

  #context() {
    return {
      nowMs: this.nowMs,
      scheduler: 'me',
      shared: false,
      reach: {
        connected: (name: string) => this.#connected.has(name),
        holds: () => false,
        beatMs: () => 0,
        foreignSchedulerMayReach: () => false,
      },
    };
  }
}

it('holds its promises whatever happens in whatever order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 2 }),
      fc.constantFrom('', 'b', 'a,d'),
      fc.constantFrom('start' as const, 'pause' as const),
      fc.array(fc.array(move, { minLength: 1, maxLength: 4 }), { maxLength: 30, size: 'max' }),
      (batch, tolerance, pause, action, steps) => {
        const watch = new Watch(batch, tolerance, pause, action);
        for (const moves of steps) watch.play(moves);
        watch.exhaust();
      },
    ),
    { numRuns: 2_000 },
  );
});
