import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstStep } from '../core/first-step.js';
import type { Context, ResultEvent } from '../core/events.js';
import type { Step } from '../core/task-draft.js';
import type { TaskChange } from '../core/changes.js';
import { StaleStateError, StoreError, type Store } from '../store/store.js';
import { metaOf } from '../store/testing/sample-task.js';
import { SqlitePlace } from '../store/testing/store-place.js';
import { TaskMailbox, type MailboxHost } from './task-mailbox.js';

const SELF = 'a:1';
const NOW_MS = Date.now();

/** A task that runs on some hosts, in a database whose commits the test holds back, as one that works aside. */
class HeldTask implements MailboxHost, AsyncDisposable {
  readonly #place: SqlitePlace;
  readonly #real: Store;
  readonly mailbox: TaskMailbox;
  readonly copyRules = { scheduler: SELF, startWithinMs: Infinity, reconnectMs: 0 };
  readonly shared = true;
  /** what has come of the mailbox, in order */
  readonly told: string[] = [];
  readonly #clock: number;
  /** called with each step that is told of */
  onCommitted: (step: Step) => void = () => undefined;
  readonly #begun: PromiseWithResolvers<Error | undefined>[] = [];
  #arrived = Promise.withResolvers<void>();

  readonly store: MailboxHost['store'] = {
    outOfProcess: true,
    commit: (changes) => this.#commit(changes),
    openTask: (taskId, hosts) => this.#real.openTask(taskId, hosts),
  };

  private constructor(place: SqlitePlace, real: Store, created: Step) {
    this.#place = place;
    this.#real = real;
    this.mailbox = new TaskMailbox(1, this, { meta: metaOf(1), state: created.state });
    this.#clock = created.state.hosts[0]?.startClock ?? 0;
  }

  static async start(hosts: readonly string[]): Promise<HeldTask> {
    const place = new SqlitePlace();
    const store = await place.open();
    const meta = { ...metaOf(1), batch: 0, pause: '', created: new Date(NOW_MS) };
    const step = firstStep(meta, 'start', hosts, Infinity, CONTEXT);
    await store.commit(step.changes);
    return new HeldTask(place, store, step);
  }

  resultOf(host: string): ResultEvent {
    const report = { exitCode: 0, signal: null, reason: null, startedMs: NOW_MS, endedMs: NOW_MS };
    const bytes = { stdoutBytes: 0, stderrBytes: 0, stdoutTruncated: false, stderrTruncated: false };
    const output = { stdout: '', stderr: '' };
    return { kind: 'result', host, clock: this.#clock, status: 'success', output, report: { ...report, ...bytes } };
  }

  /** Resolves when the database has been given the next commit; it does it, or fails, once that is let go. */
  async commitBegun(): Promise<PromiseWithResolvers<Error | undefined>> {
    while (this.#begun.length === 0) await this.#arrived.promise;
    const [first] = this.#begun.splice(0, 1);
    assert.ok(first);
    return first;
  }

  async #commit(changes: readonly TaskChange[]): Promise<void> {
    const held = Promise.withResolvers<Error | undefined>();
    this.#begun.push(held);
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
    const error = await held.promise;
    if (error) throw error;
    await this.#real.commit(changes);
  }

  ownedByPeer(): boolean {
    return false;
  }

  context(): Context {
    return CONTEXT;
  }

  loaded(): void {
    this.told.push('loaded');
  }

  committed(_mailbox: TaskMailbox, step: Step): void {
    this.told.push(`committed ${step.touched.map(({ host }) => host).join()}`);
    this.onCommitted(step);
  }

  failed(): void {
    this.told.push('failed');
  }

  idle(): void {
    this.told.push('idle');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.mailbox[Symbol.dispose]();
    await this.#real[Symbol.asyncDispose]();
    await this.#place[Symbol.asyncDispose]();
  }
}

const CONTEXT: Context = {
  nowMs: NOW_MS,
  scheduler: SELF,
  shared: true,
  reach: { connected: () => true, holds: () => false, beatMs: () => 0, foreignSchedulerMayReach: () => false },
};
const STORED = { outcome: 'stored' };

describe('a task whose commits are made aside', () => {
  it('answers the events of one while the next one hangs', async () => {
    await using task = await HeldTask.start(['a', 'b', 'c']);
    const first = task.mailbox.post(task.resultOf('a'));
    const one = await task.commitBegun();
    const second = task.mailbox.post(task.resultOf('b'));
    one.resolve(undefined);
    const two = await task.commitBegun();
    assert.deepEqual(await first, STORED);
    assert.deepEqual(task.told, ['committed a']);
    two.resolve(undefined);
    assert.deepEqual(await second, STORED);
    assert.deepEqual(task.told, ['committed a', 'committed b']);
  });

  it('answers the events of one though the next one fails, and only those', async () => {
    await using task = await HeldTask.start(['a', 'b', 'c']);
    const first = task.mailbox.post(task.resultOf('a'));
    const one = await task.commitBegun();
    const second = task.mailbox.post(task.resultOf('b'));
    one.resolve(undefined);
    (await task.commitBegun()).resolve(new StoreError('the disk is full'));
    await assert.rejects(second, /the disk is full/);
    assert.deepEqual(await first, STORED);
    // In this order: the next wake is the one that the failure asks for.
    assert.deepEqual(task.told, ['committed a', 'failed']);
    const again = task.mailbox.post(task.resultOf('b'));
    (await task.commitBegun()).resolve(undefined);
    assert.deepEqual(await again, STORED);
    assert.deepEqual(task.told.slice(2), ['loaded', 'committed b']);
  });

  it('answers the events of one before it reads what others have done to the next', async () => {
    await using task = await HeldTask.start(['a', 'b', 'c']);
    const first = task.mailbox.post(task.resultOf('a'));
    const one = await task.commitBegun();
    const second = task.mailbox.post(task.resultOf('b'));
    one.resolve(undefined);
    (await task.commitBegun()).resolve(new StaleStateError('someone else was here'));
    (await task.commitBegun()).resolve(undefined);
    assert.deepEqual(await Promise.all([first, second]), [STORED, STORED]);
    assert.deepEqual(task.told.slice(0, 2), ['committed a', 'loaded']);
  });

  it('gives up only what has been tried on three states, as what could not be stored', async () => {
    await using task = await HeldTask.start(['a', 'b', 'c']);
    const stale = async (): Promise<void> => (await task.commitBegun()).resolve(new StaleStateError('not so'));
    const first = task.mailbox.post(task.resultOf('a'));
    await stale();
    const two = await task.commitBegun();
    const second = task.mailbox.post(task.resultOf('b'));
    two.resolve(new StaleStateError('not so'));
    await stale();
    await assert.rejects(first, { name: 'StoreError' });
    (await task.commitBegun()).resolve(undefined);
    assert.deepEqual(await second, STORED);
  });

  it('is settled only when the last one is answered', async () => {
    await using task = await HeldTask.start(['a', 'b', 'c']);
    void task.mailbox.post(task.resultOf('a'));
    const one = await task.commitBegun();
    void task.mailbox.post(task.resultOf('b'));
    const settled = task.mailbox.settle();
    one.resolve(undefined);
    (await task.commitBegun()).resolve(undefined);
    await settled;
    assert.deepEqual(task.told, ['committed a', 'committed b']);
  });

  it('is forgotten only when nothing waits that came of its last one', async () => {
    await using task = await HeldTask.start(['a']);
    task.onCommitted = ({ state }) => {
      if (!state.ended) return;
      task.onCommitted = () => undefined;
      void task.mailbox.post({ kind: 'refresh', hosts: ['a'] }).then(() => task.told.push('looked'));
    };
    const result = task.mailbox.post(task.resultOf('a'));
    (await task.commitBegun()).resolve(undefined);
    assert.deepEqual(await result, STORED);
    await task.mailbox.settle();
    assert.deepEqual(task.told, ['committed a', 'idle', 'looked']);
  });
});
