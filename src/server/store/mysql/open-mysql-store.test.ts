import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../../../shared/errors.js';
import { GO_TASKS, goTables } from '../testing/go-database.js';
import { KeptLog } from '../testing/kept-log.js';
import { MysqlPlace } from '../testing/mysql-place.js';
import type { TaskChange } from '../../core/changes.js';
import { createOf, endOf, metaOf } from '../testing/sample-task.js';
import { openTaskIds, StoreFixture } from '../testing/store-fixture.js';
import { silentLog } from '../testing/store-place.js';
import { freshPlace, mysqlPlace, mysqlServer, testMysql } from '../testing/test-databases.js';
import { MysqlSession } from './mysql-session.js';
import { openMysqlStore } from './open-mysql-store.js';

const SQL_FILE = new URL('../../../../sql/ibex.sql', import.meta.url);
const skip = 'missing' in testMysql && testMysql.missing;

describe('opening a MySQL store', { skip }, () => {
  it('makes the database and its tables, and finds everything again', async () => {
    await using f = await StoreFixture.open(MysqlPlace.take(mysqlServer(), []));
    const { cluster } = f.store;
    assert.match(cluster.id, /^[0-9a-f]{32}$/);
    const id = await f.create({ a: 5 });
    assert.ok(Math.abs(id - Date.now() / 1_000) < 60, 'ids begin at the unix time');
    await f.reopen();
    assert.equal(f.store.cluster.id, cluster.id);
    assert.deepEqual(await f.store.meta(id), metaOf(id));
    await f.store.ping();
  });

  it('is one database for two servers that start at once', async () => {
    const place = MysqlPlace.take(mysqlServer(), []);
    const stores = await Promise.all(Array.from({ length: 4 }, () => place.open()));
    assert.equal(new Set(stores.map(({ cluster }) => cluster.id)).size, 1);
    for (const store of stores) await store[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  it('makes the tables that sql/ibex.sql makes', async () => {
    const [byHand, byUs] = [await freshPlace(), await freshPlace()];
    const statements = readFileSync(SQL_FILE, 'utf8')
      .replaceAll(/^--.*$/gm, '')
      .split(/;\s*$/m)
      .map((statement) => statement.trim())
      .filter((statement) => statement !== '');
    assert.deepEqual(
      statements.filter((statement) => !statement.startsWith('CREATE TABLE IF NOT EXISTS ')),
      ['CREATE DATABASE IF NOT EXISTS `ibex` DEFAULT CHARACTER SET utf8mb4', 'USE `ibex`'],
    );
    const tables = statements.filter((statement) => statement.startsWith('CREATE TABLE'));
    await byHand.run(...tables, ...tables);
    await (await byUs.open())[Symbol.asyncDispose]();
    const [columns, wanted] = [await shapeOf(byUs), await shapeOf(byHand)];
    assert.ok(wanted.length > 600);
    assert.deepEqual(columns, wanted);
    // And with these there already it changes nothing.
    await (await byHand.open())[Symbol.asyncDispose]();
    assert.deepEqual(await shapeOf(byHand), wanted);
  });

  for (const stdin of ['none', 'varchar'] as const) {
    it(`takes over the database of a Go ibex (column stdin: ${stdin})`, async () => {
      const place = await freshPlace();
      await place.run(...goTables(stdin), ...GO_TASKS, 'alter table task_meta auto_increment = 5000');
      const store = await place.open();
      assert.deepEqual(await store.meta(7), {
        id: 7,
        title: 'old FH: web-01',
        account: 'root',
        batch: 1,
        tolerance: 0,
        timeout: 30,
        pause: '',
        script: 'echo é',
        args: 'x',
        stdin: '',
        creator: 'qinyening',
        created: new Date(1_700_000_000_000),
      });
      assert.equal(await store.action(7), undefined);
      assert.deepEqual(await store.outputs(7), [{ host: 'web-01', status: 'success', stdout: 'hello', stderr: '' }]);
      assert.deepEqual(await openTaskIds(store), [8]);
      assert.deepEqual(
        (await store.openTask(8))?.hosts.map(({ host, status, startClock }) => [host, status, startClock]),
        [
          ['web-01', 'running', 1_700_000_002],
          ['Web-02', 'waiting', 0],
        ],
      );
      // These columns compare loosely; the store does not.
      assert.equal(await store.lastRun(8, 'WEB-01'), undefined);
      for (const host of ['WEB-02', 'Web-02 ']) {
        await assert.rejects(store.commit([{ kind: 'start-host', taskId: 8, host, from: 'waiting', clock: 9 }]), {
          name: 'StaleStateError',
        });
      }
      await store.commit([{ kind: 'start-host', taskId: 8, host: 'Web-02', from: 'waiting', clock: 1_700_000_009 }]);
      const end = (host: string): TaskChange => {
        const output = { stdout: 'o', stderr: 'e' };
        return { kind: 'end-host', taskId: 8, host, from: 'running', to: 'failed', output, detail: undefined };
      };
      // Joined they are another statement than alone.
      await assert.rejects(store.commit([end('web-01'), end('WEB-02')]), { name: 'StaleStateError' });
      await store.commit([end('web-01')]);
      assert.deepEqual(
        (await store.hosts(8)).map(({ status }) => status),
        ['failed', 'running'],
      );
      // Above all ids that were ever given, also those of tasks that are deleted.
      const id = await store.nextTaskId();
      assert.equal(id, 5_000);
      const stdinText = 'label=夜;'.repeat(3_000);
      await store.commit([createOf({ ...metaOf(id), stdin: stdinText }, { a: 1 })]);
      assert.equal((await store.meta(id))?.stdin, stdinText);
      await store[Symbol.asyncDispose]();
      // What a Go ibex would write still fits.
      const insert = "insert into task_meta (title, account, script) values ('t', 'root', 'x')";
      await place.run(insert);
      const indices = await place.run(
        `select group_concat(column_name order by seq_in_index) as col from information_schema.statistics
         where table_schema = database() and table_name = 'task_host_doing' group by index_name`,
      );
      assert.ok(indices.some(({ col }) => col === 'id,host'));
    });
  }

  it('shows what others write', async () => {
    await using f = await StoreFixture.open(mysqlPlace());
    const id = await f.store.nextTaskId();
    await f.place.run(`insert into task_meta (id, title, account, script) values (${id + 1}, 'theirs', 'root', 'x')`);
    assert.equal((await f.store.meta(id + 1))?.title, 'theirs');
    await assert.rejects(f.store.commit([createOf(metaOf(id + 1), { a: 1 })]), { name: 'TaskIdTakenError' });
    assert.ok((await f.store.nextTaskId()) > id + 1);
  });

  it('makes a database only where it may, and loudly', async () => {
    const server = mysqlServer();
    const log = new KeptLog();
    const existing = (await freshPlace()).target.database;
    const misspelt = { ...server, database: `${existing}x`, createDatabase: false };
    await assert.rejects(openMysqlStore({ target: misspelt, log, reachMs: 0 }), (error: unknown) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(
        error.message,
        new RegExp(`there is no database ${existing}x at .*did you mean ${existing}\\?.*Create = true`),
      );
      return true;
    });
    await using session = await MysqlSession.open(server, { kind: 'migrate', inDatabase: false });
    assert.deepEqual(await session.rows('show databases like ?', [misspelt.database], 10_000), []);
    // One that exists and is empty gets its tables.
    await using _ = await openMysqlStore({ target: { ...misspelt, database: existing }, log, reachMs: 0 });
    assert.deepEqual(log.warnings, []);
    await using store = await openMysqlStore({ target: { ...misspelt, createDatabase: true }, log, reachMs: 0 });
    await store.ping();
    assert.match(log.warnings.map(({ message }) => message).join(), /a new, empty one is created/);
  });

  it('says clearly why it can not', async () => {
    const server = { ...mysqlServer(), password: 'geheim', connectTimeoutMs: 1_000 };
    const nobody = { ...server, address: { host: '127.0.0.1', port: 1 } };
    for (const [target, wanted] of [
      [nobody, /127\.0\.0\.1:1 as user "root".*connection refused/],
      [{ ...server, user: 'ibex_test_nobody' }, /as user "ibex_test_nobody": access denied/],
      [{ ...server, address: { socketPath: '/nowhere/my.sock' } }, /\/nowhere\/my\.sock .* there is no such socket/],
    ] as const) {
      await assert.rejects(openMysqlStore({ target, log: silentLog, reachMs: 100 }), (error: unknown) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, wanted);
        assert.doesNotMatch(error.message, /geheim/);
        return true;
      });
    }
  });

  it('answers with StoreError once it is closed', async () => {
    await using f = await StoreFixture.open(mysqlPlace());
    await f.store[Symbol.asyncDispose]();
    await assert.rejects(f.store.ping(), { name: 'StoreError' });
    await assert.rejects(f.store.commit([endOf(1)]), { name: 'StoreError' });
  });

  it('tries a transaction again that has to wait too long for a lock', async () => {
    await using f = await StoreFixture.open(mysqlPlace());
    const id = await f.create({ a: 5 });
    await using session = await MysqlSession.open(f.place.target, { kind: 'write' });
    await session.query(`begin; update task_action set clock = 1 where id = ${id}`, [], 5_000);
    const stored = f.store.commit([{ kind: 'task-action', taskId: id, action: 'pause', clock: 2 }]);
    // Longer than the lock is waited for.
    const first = await Promise.race([stored.then(() => 'stored'), wait(1_500).then(() => 'waiting')]);
    assert.equal(first, 'waiting');
    await session.query('rollback', [], 5_000);
    await stored;
    assert.equal(await f.store.action(id), 'pause');
  });
});

/** Every column and index of a database, as one line each. */
async function shapeOf(place: MysqlPlace): Promise<readonly string[]> {
  const columns = await place.run(
    `select concat_ws(' ', table_name, ordinal_position, column_name, column_type, is_nullable, column_default,
       character_set_name, collation_name, extra) as line
     from information_schema.columns where table_schema = database() and table_name not like 'ibex\\_migration%'`,
  );
  const indices = await place.run(
    `select concat_ws(' ', table_name, index_name, non_unique, seq_in_index, column_name) as line
     from information_schema.statistics where table_schema = database() and table_name not like 'ibex\\_migration%'`,
  );
  return [...columns, ...indices].map(({ line }) => String(line)).sort();
}
