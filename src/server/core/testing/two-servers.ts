import assert from 'node:assert/strict';
import { isFinal, type HostStatus } from '../../../shared/task-states.js';
import { firstStep } from '../first-step.js';
import type { Context, TaskEvent } from '../events.js';
import { reduce, type Reduction } from '../reduce.js';
import { resumeTask } from '../resume-task.js';
import type { TaskState } from '../task-state.js';
import { plainTask } from './plain-task.js';
import { Rows } from './rows.js';
import { resultOf } from './play.js';

export const HOSTS = ['a', 'b', 'c', 'd'];
export const SERVERS = ['one', 'two'] as const;
type Name = (typeof SERVERS)[number];

/** What one of them is asked for, by an operator or an agent. */
export type Asked =
  | { kind: 'act'; action: 'start' | 'pause' | 'cancel' | 'kill' }
  | { kind: 'act-on'; host: string; action: 'ignore' | 'redo' | 'kill' }
  | { kind: 'result'; host: string; older: number }
  | { kind: 'list'; host: string }
  | { kind: 'refresh' };
export type Move =
  | { kind: 'ask'; server: Name; asked: Asked }
  | { kind: 'wait'; server: Name; ms: number }
  /**
   * it stops in the middle of this: what it has worked out is committed when it goes on, or never; or only sent then
   */
  | { kind: 'stop'; server: Name; asked: Asked | undefined; committed: boolean }
  | { kind: 'go on'; server: Name; commits: boolean }
  | { kind: 'reach'; agents: boolean; others: boolean }
  | { kind: 'take over'; server: Name };

class Server {
  readonly name: Name;
  state: TaskState | undefined;
  mine = false;
  /** what it had worked out when it was stopped; undefined: it runs */
  stopped: { readonly step: Reduction | undefined; readonly event: TaskEvent; readonly unsent?: boolean } | undefined;

  constructor(name: Name) {
    this.name = name;
  }
}

/** Two servers on the rows of one task, each with a memory of its own that may be of yesterday. */
export class World {
  nowMs = 1_800_000_000_000;
  readonly rows: Rows;
  readonly servers = { one: new Server('one'), two: new Server('two') };
  readonly #batch: number;
  readonly #starts = new Map<string, number>();
  /** starts that an agent may have, and those that were given up because none can */
  readonly #sent = new Set<string>();
  readonly #givenUp = new Set<string>();
  #reach: { readonly agents: boolean; readonly others: boolean };

  /** `agents`: they are there when the task is made. */
  constructor(batch: number, agents: boolean) {
    this.#batch = batch;
    this.#reach = { agents, others: false };
    const step = firstStep(
      plainTask({ id: 1, batch, tolerance: 9, created: new Date(this.nowMs) }),
      'start',
      HOSTS,
      Infinity,
      this.#context('one', true),
    );
    const [create, ...more] = step.changes;
    assert.ok(create?.kind === 'create-task');
    this.rows = new Rows(create);
    assert.ok(this.rows.commit(more));
    this.#send(step);
    this.servers.one.state = step.state;
    this.servers.one.mine = true;
    for (const entry of step.state.hosts) if (entry.startClock > 0) this.#noteStart(entry.host, entry.startClock);
  }

  play(next: Move): void {
    if (next.kind === 'reach') {
      this.#reach = next;
      return;
    }
    const at = this.servers[next.server];
    switch (next.kind) {
      case 'take over':
        if (at.stopped || this.rows.ended || this.rows.scheduler === at.name) return;
        // Even of one that lives: the clocks by which it seems dead may be wrong. That it has the task was seen before.
        this.#read(at);
        this.rows.scheduler = at.name;
        return;
      case 'stop': {
        if (at.stopped) return;
        const event: TaskEvent = next.asked ? this.#event(at, next.asked) : { kind: 'wake' };
        const step = this.#work(at, event);
        const unsent = next.committed && step !== undefined && this.#commit(at, step, event);
        if (!next.committed || unsent) at.stopped = { step, event, unsent };
        return;
      }
      case 'go on': {
        const { stopped } = at;
        at.stopped = undefined;
        if (!stopped?.step || !next.commits) return;
        if (stopped.unsent || this.#commit(at, stopped.step, stopped.event)) this.#send(stopped.step);
        return;
      }
      case 'wait':
        this.nowMs += next.ms;
        if (!at.stopped && at.mine) this.#do(at, { kind: 'wake' });
        return;
      case 'ask':
        if (!at.stopped) this.#do(at, this.#event(at, next.asked));
        return;
      default:
        next satisfies never;
    }
  }

  /** Lets one server bring the task to its end alone. */
  finish(): void {
    const { one, two } = this.servers;
    two.stopped = { step: undefined, event: { kind: 'wake' } };
    one.stopped = undefined;
    this.rows.scheduler = 'one';
    this.#read(one);
    this.#do(one, { kind: 'refresh', hosts: 'all' });
    this.#do(one, { kind: 'task-action', action: 'cancel' });
    for (let wakes = 0; !this.rows.ended; wakes++) {
      assert.ok(wakes < 50, 'the task never ends');
      this.nowMs += 60_000;
      this.#do(one, { kind: 'wake' });
    }
  }

  #event(at: Server, next: Asked): TaskEvent {
    switch (next.kind) {
      case 'refresh':
        this.#read(at);
        return { kind: 'refresh', hosts: 'all' };
      case 'act':
        return { kind: 'task-action', action: next.action };
      case 'act-on':
        return { kind: 'host-action', host: next.host, action: next.action };
      case 'list':
        // It has nothing in hand.
        return { kind: 'listed', host: next.host, runs: new Map(), newStore: false };
      case 'result': {
        const clock = this.rows.open()?.hosts.find((row) => row.host === next.host)?.startClock ?? 1;
        return resultOf(next.host, Math.max(1, clock - next.older), 'success');
      }
      default:
        return next satisfies never;
    }
  }

  /** As a mailbox does it: on what is in memory where the task is its own, else on what the rows say now. */
  #do(at: Server, event: TaskEvent): void {
    for (let attempt = 0; attempt < 3; attempt++) {
      const step = this.#work(at, event);
      if (!step) return;
      if (!this.#commit(at, step, event)) continue;
      this.#send(step);
      return;
    }
  }

  /** What was given up as never started may be with no agent, and comes to none. */
  #send({ effects }: Pick<Reduction, 'effects'>): void {
    for (const { kind, host: name, clock } of effects) {
      if (kind !== 'assign' || !this.#reach.agents) continue;
      assert.ok(!this.#givenUp.has(`${name} ${clock}`), `${name} gets a start that was given up`);
      this.#sent.add(`${name} ${clock}`);
    }
  }

  #noteGivenUp({ changes }: Pick<Reduction, 'changes'>): void {
    for (const change of changes) {
      if (change.kind !== 'end-host' || change.detail?.reason !== 'not-started') continue;
      const run = `${change.host} ${change.detail.clock}`;
      assert.ok(!this.#sent.has(run), `${run} was given up as never started, and is with an agent`);
      this.#givenUp.add(run);
    }
  }

  #work(at: Server, event: TaskEvent): Reduction | undefined {
    const acts = event.kind === 'task-action' || event.kind === 'host-action';
    if (!at.state || !at.mine || acts) this.#read(at);
    if (!at.state) return undefined;
    return reduce(at.state, [event], this.#context(at.name, at.mine));
  }

  #commit(at: Server, step: Reduction, event: TaskEvent): boolean {
    const before = new Map(HOSTS.map((name) => [name, this.rows.status(name)]));
    if (!this.rows.commit(step.changes)) {
      at.state = undefined;
      return false;
    }
    at.state = step.state;
    this.#noteGivenUp(step);
    // A redo, or the kill of a host that was given up, may go beyond the batch and change what was final.
    const forced = event.kind === 'host-action' && event.action !== 'ignore';
    for (const change of step.changes) {
      if (change.kind !== 'start-host') continue;
      this.#noteStart(change.host, change.clock);
      assert.ok(at.name === this.rows.scheduler || forced, 'a server started a host of another one’s task');
    }
    for (const change of step.changes) {
      if (change.kind !== 'kill-host') continue;
      const told = step.effects.some((effect) => effect.kind === 'kill' && effect.host === change.host);
      assert.ok(told, 'a kill that no agent is told of');
    }
    assert.ok(step.answers.length > 0);
    const starts = step.changes.some(({ kind }) => kind === 'start-host');
    this.#check(before, starts, forced, event);
    return true;
  }

  #check(
    before: ReadonlyMap<string, HostStatus | undefined>,
    starts: boolean,
    forced: boolean,
    event: TaskEvent,
  ): void {
    const active = (statuses: readonly (HostStatus | undefined)[]): number =>
      statuses.filter((status) => status === 'running' || status === 'killing').length;
    if (this.#batch > 0 && !forced) {
      const now = active(HOSTS.map((name) => this.rows.status(name)));
      // After a redo more may run; nothing is started on top of them.
      const most = starts ? this.#batch : Math.max(this.#batch, active([...before.values()]));
      assert.ok(now <= most, `${now} hosts run`);
    }
    const acts = event.kind === 'host-action' || event.kind === 'task-action';
    for (const name of HOSTS) {
      const [from, to] = [before.get(name), this.rows.status(name)];
      assert.ok(from !== undefined && to !== undefined);
      assert.ok(!(to === 'waiting' && from !== 'waiting'), `${name}: ${from} became waiting`);
      assert.ok(!isFinal(from) || from === to || acts, `${name}: ${from} became ${to} though nobody asked for it`);
      assert.equal(this.rows.doing(name) !== undefined, to === 'running' || to === 'killing', `${name}: ${to}`);
    }
    if (this.rows.ended)
      assert.ok(
        HOSTS.every((name) => isFinal(this.rows.status(name) ?? 'waiting')),
        'ended too soon',
      );
  }

  #noteStart(name: string, clock: number): void {
    assert.ok(clock > (this.#starts.get(name) ?? 0), `${name} was started twice for clock ${clock}, or backwards`);
    this.#starts.set(name, clock);
  }

  #read(at: Server): void {
    const open = this.rows.open();
    at.mine = open?.scheduler === at.name;
    at.state = open && resumeTask(open, { startWithinMs: Infinity, judgeFromMs: 0 }, this.nowMs, at.state);
  }

  #context(name: Name, mine: boolean): Context {
    return {
      nowMs: this.nowMs,
      scheduler: mine ? name : undefined,
      shared: true,
      reach: {
        connected: () => this.#reach.agents,
        holds: () => false,
        beatMs: () => 0,
        foreignSchedulerMayReach: () => this.#reach.others,
      },
    };
  }
}
