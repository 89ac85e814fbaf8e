import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { NotWantedError } from '../store.js';
import { MariadbProcess } from '../testing/mariadb-process.js';
import { createOf, metaOf } from '../testing/sample-task.js';
import { StoreFixture } from '../testing/store-fixture.js';
import { silentLog } from '../testing/store-place.js';
import { freshPlace, mysqlAt } from '../testing/test-databases.js';
import { MysqlSession } from './mysql-session.js';
import type { MysqlTarget } from './mysql-target.js';

const skip = !MariadbProcess.installed() && 'mariadbd is not installed: apt-get install -y mariadb-server';

/** A server whose locks concern nobody else. */
let own: MariadbProcess;

function root(): MysqlTarget {
  return mysqlAt('127.0.0.1', own.port);
}

/** Resolves once a statement of the store waits for a lock. */
async function someoneWaits(watching: MysqlSession): Promise<void> {
  for (;;) {
    const rows = await watching.rows(
      `select (select count(*) from information_schema.processlist where state like 'Waiting for%lock%')
         + (select count(*) from information_schema.innodb_trx where trx_state = 'LOCK WAIT') as n`,
      [],
      5_000,
    );
    if (rows.some(({ n }) => Number(n) > 0)) return;
    // The server shows its transactions anew only to who has not asked for a tenth of a second.
    await wait(150);
  }
}

describe('a task whose caller leaves', { skip }, () => {
  before(async () => {
    own = await MariadbProcess.start();
  });
  after(() => own[Symbol.asyncDispose]());

  for (const [title, lock] of [
    ['all tables are locked for reading', 'flush tables with read lock'],
    ['its table is locked', 'lock tables task_meta write'],
    ['its row is locked', 'begin; insert into task_meta (id, title, account, script) values (7, "t", "a", "s")'],
  ] as const) {
    it(`while ${title} is not created`, async () => {
      await using f = await StoreFixture.open(await freshPlace(silentLog, root()));
      await f.create({ a: 5 });
      await using holder = await MysqlSession.open(f.place.target, { kind: 'write' });
      await using watching = await MysqlSession.open(f.place.target, { kind: 'read' });
      await holder.query(lock, [], 5_000);
      const caller = new AbortController();
      const created = f.store.commit([createOf(metaOf(7), { a: 5 })], caller.signal);
      await someoneWaits(watching);
      caller.abort();
      // The lock is held as long as it takes.
      await assert.rejects(created, NotWantedError);
      await holder.query('rollback; unlock tables', [], 5_000);
      assert.equal(await f.store.meta(7), undefined);
      await f.store.commit([createOf(metaOf(7), { a: 5 })]);
    });
  }

  it('while the server hangs in the midst of it is not created', async () => {
    await using f = await StoreFixture.open(await freshPlace(silentLog, root()));
    await f.create({ a: 5 });
    await own.signal('SIGSTOP');
    const caller = new AbortController();
    const created = f.store.commit([createOf(metaOf(7), { a: 5 })], caller.signal);
    const kept = f.store.commit([createOf(metaOf(8), { a: 5 })]);
    // It has gone out by then.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    caller.abort();
    await own.signal('SIGCONT');
    await assert.rejects(created, NotWantedError);
    await kept;
    assert.equal(await f.store.meta(7), undefined);
  });

  it('takes nobody with it who shares its transaction', async () => {
    await using f = await StoreFixture.open(await freshPlace(silentLog, root()));
    await f.create({ a: 5 });
    await using holder = await MysqlSession.open(f.place.target, { kind: 'write' });
    await using watching = await MysqlSession.open(f.place.target, { kind: 'read' });
    await holder.query('flush tables with read lock', [], 5_000);
    const caller = new AbortController();
    const outcomes = Promise.allSettled(
      [7, 8].map((id) =>
        f.store.commit([createOf(metaOf(id), { a: 5 })], id === 7 ? caller.signal : new AbortController().signal),
      ),
    );
    await someoneWaits(watching);
    caller.abort();
    await holder.query('unlock tables', [], 5_000);
    const [left, stayed] = await outcomes;
    assert.ok(left?.status === 'rejected' && left.reason instanceof NotWantedError);
    assert.equal(stayed?.status, 'fulfilled');
    assert.equal(await f.store.meta(7), undefined);
    assert.deepEqual(await f.store.meta(8), metaOf(8));
  });

  it('is answered while it waits for its turn behind a transaction that hangs', async () => {
    await using f = await StoreFixture.open(await freshPlace(silentLog, root()));
    const id = await f.create({ a: 5 });
    await own.signal('SIGSTOP');
    const first = f.store.commit([{ kind: 'task-action', taskId: id, action: 'pause', clock: 9 }]);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const caller = new AbortController();
    const created = f.store.commit([createOf(metaOf(7), { a: 5 })], caller.signal);
    caller.abort();
    await assert.rejects(created, NotWantedError);
    await own.signal('SIGCONT');
    await first;
  });

  it('and one that nobody gives up is refused in words while a lock is held', async () => {
    await using f = await StoreFixture.open(await freshPlace(silentLog, root()));
    const id = await f.create({ a: 5 });
    await using holder = await MysqlSession.open(f.place.target, { kind: 'write' });
    await holder.query('flush tables with read lock', [], 5_000);
    const change = { kind: 'task-action', taskId: id, action: 'pause', clock: 9 } as const;
    await assert.rejects(f.store.commit([change]), /^StoreError: the database refuses: .*locked/);
    await holder.query('unlock tables', [], 5_000);
    await f.store.commit([change]);
  });
});
