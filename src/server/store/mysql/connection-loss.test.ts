import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CuttingProxy } from '../testing/cutting-proxy.js';
import { MariadbProcess } from '../testing/mariadb-process.js';
import { MysqlPlace } from '../testing/mysql-place.js';
import { createOf, metaOf } from '../testing/sample-task.js';
import { openTaskIds, StoreFixture } from '../testing/store-fixture.js';
import { silentLog } from '../testing/store-place.js';
import { mysqlAt, mysqlPlace, mysqlServer, testMysql } from '../testing/test-databases.js';
import type { Store } from '../store.js';
import { openMysqlStore } from './open-mysql-store.js';

const skip = 'missing' in testMysql && testMysql.missing;
const skipOwn = !MariadbProcess.installed() && 'mariadbd is not installed: apt-get install -y mariadb-server';

describe('a connection to MySQL that breaks', { skip }, () => {
  async function behindProxy() {
    const server = mysqlServer();
    const address = 'port' in server.address ? server.address : { host: '127.0.0.1', port: 3_306 };
    const place = mysqlPlace();
    const proxy = await CuttingProxy.start(address);
    const target = { ...place.target, address: { host: '127.0.0.1', port: proxy.port } };
    const store = await openMysqlStore({ target, log: silentLog, reachMs: 0 });
    return {
      proxy,
      store,
      [Symbol.asyncDispose]: async () => {
        await store[Symbol.asyncDispose]();
        await proxy[Symbol.asyncDispose]();
        await place[Symbol.asyncDispose]();
      },
    };
  }

  for (const where of ['question', 'answer'] as const) {
    it(`while it commits stores everything just once (the ${where} is lost)`, async () => {
      await using f = await behindProxy();
      const id = await f.store.nextTaskId();
      f.proxy.cutAt('task_meta', where);
      await f.store.commit([createOf(metaOf(id), { a: 5, b: undefined })]);
      assert.equal(f.proxy.cuts, 1);
      assert.deepEqual(await f.store.hosts(id), [
        { host: 'a', status: 'running' },
        { host: 'b', status: 'waiting' },
      ]);
      // A change that would fail the second time.
      f.proxy.cutAt('task_host_', where);
      await f.store.commit([{ kind: 'start-host', taskId: id, host: 'b', from: 'waiting', clock: 9 }]);
      assert.equal(f.proxy.cuts, 2);
      assert.deepEqual((await f.store.openTask(id))?.hosts[1]?.activeRun, { clock: 9, action: 'start' });
    });
  }

  it('between transactions, or while reading, is not noticed by anyone', async () => {
    await using f = await behindProxy();
    const id = await f.store.nextTaskId();
    await f.store.commit([createOf(metaOf(id), { a: 5 })]);
    f.proxy.cutAll();
    await f.store.commit([{ kind: 'task-action', taskId: id, action: 'pause', clock: 9 }]);
    f.proxy.cutAll();
    assert.equal(await f.store.action(id), 'pause');
    f.proxy.cutAt('select', 'answer');
    assert.deepEqual(await f.store.meta(id), metaOf(id));
    assert.equal(f.proxy.cuts, 1);
  });
});

describe('a MariaDB that ends', { skip: skipOwn }, () => {
  it('in the midst of writing loses nothing that was acknowledged, and is found again', async () => {
    await using server = await MariadbProcess.start();
    await using f = await StoreFixture.open(MysqlPlace.take(mysqlAt('127.0.0.1', server.port), []), 1);
    const written = new Writers(f.store);
    for (let round = 1; round <= 2; round++) {
      await written.acknowledged(round * 100);
      await server.signal('SIGKILL');
      await written.refused();
      await assert.rejects(f.store.ping(), { name: 'StoreError' });
      await assert.rejects(openTaskIds(f.store), { name: 'StoreError' });
      await server.begin();
      await f.store.ping();
    }
    await written.acknowledged(300);
    await written.stop();
    const stored = new Set(await openTaskIds(f.store));
    for (const id of written.stored) assert.ok(stored.has(id), `task ${id} was acknowledged and is gone`);
    for (const id of stored) assert.deepEqual((await f.store.hosts(id)).length, 2);
    // Refused for certain means not stored.
    for (const id of written.surelyRefused) assert.ok(!stored.has(id), `task ${id} was refused and is there`);
  });

  it('or only hangs is given up soon', async () => {
    await using server = await MariadbProcess.start();
    const target = { ...mysqlAt('127.0.0.1', server.port), connectTimeoutMs: 500, answerTimeoutMs: 1_000 };
    await using f = await StoreFixture.open(MysqlPlace.take(target, []), 1);
    const id = await f.create({ a: 5 });
    await server.signal('SIGSTOP');
    await assert.rejects(f.store.ping(), { name: 'StoreError' });
    await assert.rejects(f.store.commit([{ kind: 'task-action', taskId: id, action: 'pause', clock: 9 }]), {
      name: 'StoreError',
    });
    await server.signal('SIGCONT');
    await f.store.ping();
    await f.store.commit([{ kind: 'task-action', taskId: id, action: 'cancel', clock: 9 }]);
    assert.equal(await f.store.action(id), 'cancel');
  });
});

/** Creates tasks as fast as it can, four at a time, and keeps what became of each. */
class Writers {
  readonly stored = new Set<number>();
  readonly surelyRefused = new Set<number>();
  readonly #store: Store;
  readonly #loops: readonly Promise<void>[];
  #refusals = 0;
  #stopped = false;
  #onChange: (() => void) | undefined;

  constructor(store: Store) {
    this.#store = store;
    this.#loops = Array.from({ length: 4 }, () => this.#write());
  }

  async acknowledged(count: number): Promise<void> {
    while (this.stored.size < count) await new Promise<void>((resolve) => (this.#onChange = resolve));
  }

  /** Until another one was refused. */
  async refused(): Promise<void> {
    const before = this.#refusals;
    while (this.#refusals === before) await new Promise<void>((resolve) => (this.#onChange = resolve));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      let id: number | undefined;
      try {
        id = await this.#store.nextTaskId();
        await this.#store.commit([createOf(metaOf(id), { a: 1, b: undefined })]);
        this.stored.add(id);
      } catch (error) {
        assert.ok(error instanceof Error && error.name === 'StoreError', String(error));
        this.#refusals += 1;
        if (id !== undefined && !error.message.includes('not known')) this.surelyRefused.add(id);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      this.#onChange?.();
    }
  }
}
