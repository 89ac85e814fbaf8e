import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { TaskChange } from '../../core/changes.js';
import type { Store } from '../store.js';
import { CuttingProxy } from '../testing/cutting-proxy.js';
import type { MysqlPlace } from '../testing/mysql-place.js';
import { createOf, metaOf } from '../testing/sample-task.js';
import { silentLog } from '../testing/store-place.js';
import { mysqlPlace, mysqlServer, testMysql } from '../testing/test-databases.js';
import { MysqlSession } from './mysql-session.js';
import { openMysqlStore } from './open-mysql-store.js';

const skip = 'missing' in testMysql && testMysql.missing;
const NOBODYS_TASK = 900_000_000_001;

describe('a transaction on MySQL of which members fail', { skip }, () => {
  it('is one transaction, and takes few questions for each of them', async () => {
    await using f = await Proxied.open();
    const { store, proxy } = f;
    const ids = await f.create(200);
    const before = { transactions: await f.transactions(), questions: proxy.questions };
    const outcomes = await Promise.allSettled(
      ids.map((taskId, i) => store.commit([pausing(i % 2 === 0 ? NOBODYS_TASK : taskId)])),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ids.map((_, i) => (i % 2 === 0 ? 'rejected' : 'fulfilled')),
    );
    assert.equal((await f.transactions()) - before.transactions, 1);
    const questions = proxy.questions - before.questions;
    assert.ok(questions <= 2 * ids.length, `${questions} questions`);
    // One that fails alone is found in a few steps.
    const middle = proxy.questions;
    await Promise.allSettled(ids.map((taskId, i) => store.commit([pausing(i === 70 ? NOBODYS_TASK : taskId)])));
    assert.ok(proxy.questions - middle <= 40, `${proxy.questions - middle} questions`);
  });

  for (const where of ['question', 'answer'] as const) {
    for (const [title, staleAt, commit] of [
      ['together with a member', 0, 'rollback to savepoint ibex_member;update `task_host_'],
      ['after the last one was left out', 1, 'rollback to savepoint ibex_member;commit'],
    ] as const) {
      it(`is stored just once where the ${where} is lost that commits it ${title}`, async () => {
        await using f = await Proxied.open();
        const [id = 0] = await f.create(1);
        const members = [start(id), pausing(NOBODYS_TASK)];
        if (staleAt === 0) members.reverse();
        f.proxy.cutAt(commit, where);
        const outcomes = await Promise.allSettled(members.map((change) => f.store.commit([change])));
        assert.equal(f.proxy.cuts, 1);
        assert.deepEqual(
          outcomes.map(({ status }) => status),
          members.map((_, i) => (i === staleAt ? 'rejected' : 'fulfilled')),
        );
        assert.deepEqual((await f.store.openTask(id))?.hosts[1]?.activeRun, { clock: 9, action: 'start' });
      });
    }
  }

  it('is refused where no packet can hold it, and the connection stays', async () => {
    await using f = await Proxied.open();
    const [other = 0] = await f.create(1);
    const [row] = await f.place.run('select @@global.max_allowed_packet as bytes');
    // Fits its column, and takes twice the room on its way there.
    const meta = { ...metaOf(other + 1), stdin: "'".repeat(Number(row?.['bytes']) * 0.6) };
    const before = await f.transactions();
    const outcomes = await Promise.allSettled([
      f.store.commit([createOf(meta, { a: 5 })]),
      f.store.commit([start(other)]),
    ]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'stored')),
      [
        `StoreError: the database refuses it: it is longer than max_allowed_packet (${Number(row?.['bytes'])} bytes)`,
        'stored',
      ],
    );
    // Both had a number; only a writer that was replaced begins again.
    assert.equal((await f.transactions()) - before, 2);
  });

  it('goes to another connection where this one was fenced off', async () => {
    await using f = await Proxied.open();
    const [id = 0] = await f.create(1);
    await f.place.run('update ibex_writer set fenced = 1');
    const outcomes = await Promise.allSettled([f.store.commit([pausing(NOBODYS_TASK)]), f.store.commit([start(id)])]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    assert.equal((await f.store.hosts(id))[1]?.status, 'running');
  });

  it('is tried again whole where another transaction is in its way', async () => {
    await using f = await Proxied.open();
    const [free = 0, locked = 0] = await f.create(2);
    await using session = await MysqlSession.open(f.place.target, { kind: 'write' });
    await session.query(`begin; update task_action set clock = 1 where id = ${locked}`, [], 5_000);
    const outcomes = Promise.allSettled(
      [free, NOBODYS_TASK, locked, NOBODYS_TASK].map((id) => f.store.commit([pausing(id)])),
    );
    // Longer than the lock is waited for.
    assert.equal(await Promise.race([outcomes, wait(1_500).then(() => 'waiting')]), 'waiting');
    await session.query('rollback', [], 5_000);
    assert.deepEqual(
      (await outcomes).map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
    );
    for (const id of [free, locked]) assert.equal(await f.store.action(id), 'pause');
  });
});

function pausing(taskId: number): TaskChange {
  return { kind: 'task-action', taskId, action: 'pause', clock: 9 };
}

/** Fails the second time. */
function start(taskId: number): TaskChange {
  return { kind: 'start-host', taskId, host: 'b', from: 'waiting', clock: 9 };
}

/** A store behind a proxy. */
class Proxied implements AsyncDisposable {
  readonly place: MysqlPlace;
  readonly proxy: CuttingProxy;
  readonly store: Store;

  private constructor(place: MysqlPlace, proxy: CuttingProxy, store: Store) {
    this.place = place;
    this.proxy = proxy;
    this.store = store;
  }

  static async open(): Promise<Proxied> {
    const server = mysqlServer();
    const place = mysqlPlace();
    const proxy = await CuttingProxy.start(
      'port' in server.address ? server.address : { host: '127.0.0.1', port: 3_306 },
    );
    const target = { ...place.target, address: { host: '127.0.0.1', port: proxy.port } };
    return new Proxied(place, proxy, await openMysqlStore({ target, log: silentLog, reachMs: 0 }));
  }

  /** Tasks with a host that runs and one that waits. */
  async create(count: number): Promise<readonly number[]> {
    const ids = await Promise.all(Array.from({ length: count }, () => this.store.nextTaskId()));
    await Promise.all(ids.map((id) => this.store.commit([createOf(metaOf(id), { a: 5, b: undefined })])));
    return ids;
  }

  /** Committed so far by the store's writer. */
  async transactions(): Promise<number> {
    const [row] = await this.place.run('select max(seq) as seq from ibex_writer');
    return Number(row?.['seq']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}
