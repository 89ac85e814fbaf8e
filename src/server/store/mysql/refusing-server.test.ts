import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { UserError } from '../../../shared/errors.js';
import type { TaskChange } from '../../core/changes.js';
import { DeniedError, RefusedError, type Store } from '../store.js';
import { KeptLog } from '../testing/kept-log.js';
import { goTables } from '../testing/go-database.js';
import { MariadbProcess } from '../testing/mariadb-process.js';
import type { MysqlPlace } from '../testing/mysql-place.js';
import { createOf, detailOf, metaOf } from '../testing/sample-task.js';
import { StoreFixture } from '../testing/store-fixture.js';
import { silentLog } from '../testing/store-place.js';
import { freshPlace, mysqlAt } from '../testing/test-databases.js';
import { MysqlSession } from './mysql-session.js';
import type { MysqlTarget } from './mysql-target.js';
import { openMysqlStore } from './open-mysql-store.js';

const SQL_FILE = new URL('../../../../sql/ibex.sql', import.meta.url);
const skip = !MariadbProcess.installed() && 'mariadbd is not installed: apt-get install -y mariadb-server';
const LIMITS = ['--max-connections=10', '--max-allowed-packet=1M'];

/** A server whose settings and locks concern nobody else. */
let own: MariadbProcess;

function root(): MysqlTarget {
  return mysqlAt('127.0.0.1', own.port);
}

/** A user of the test's own with these rights on a database. */
async function userOf(place: MysqlPlace, rights: string, limits = ''): Promise<MysqlTarget> {
  const user = `u${place.target.database.slice(-8)}`;
  await place.run(
    `create or replace user '${user}'@'%' identified by 'secret' ${limits}`,
    ...(rights === '' ? [] : [`grant ${rights} on \`${place.target.database}\`.* to '${user}'@'%'`]),
  );
  return { ...place.target, user, password: 'secret' };
}

function open(target: MysqlTarget, log = new KeptLog()): Promise<Store> {
  return openMysqlStore({ target, log, reachMs: 0 });
}

async function tablesByHand(place: MysqlPlace): Promise<void> {
  const statements = readFileSync(SQL_FILE, 'utf8')
    .replaceAll(/^--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim());
  await place.run(...statements.filter((statement) => statement.startsWith('CREATE TABLE')));
}

function end(taskId: number, host: string, stdout: string): TaskChange {
  const output = { stdout, stderr: '' };
  return { kind: 'end-host', taskId, host, from: 'running', to: 'failed', output, detail: detailOf(taskId, host, 5) };
}

/** The error says that the database refuses and why, and not that it does not answer. */
function denied(why: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof DeniedError, String(error));
    assert.match(error.message, why);
    assert.doesNotMatch(error.message, /answer|secret/);
    return true;
  };
}

describe('a MariaDB that refuses', { skip }, () => {
  before(async () => {
    own = await MariadbProcess.start(...LIMITS);
  });
  after(() => own[Symbol.asyncDispose]());

  it('to change tables serves where they are complete', async () => {
    const place = await freshPlace(silentLog, root());
    await tablesByHand(place);
    const log = new KeptLog();
    await using store = await open(await userOf(place, 'select, insert, update, delete'), log);
    assert.ok(!log.warnings.some(({ fields }) => 'run' in fields));
    const id = await store.nextTaskId();
    await store.commit([createOf(metaOf(id), { a: 5 }, [{ key: 'a'.repeat(64), ttlMs: 1_000, bodyDigest: null }])]);
    await store.commit([end(id, 'a', 'x')]);
    assert.equal((await store.outputs(id))[0]?.stdout, 'x');
  });

  it('to change tables is told what an administrator is to run', async () => {
    const place = await freshPlace(silentLog, root());
    const target = await userOf(place, 'select, insert, update, delete');
    const refusal = (wanted: RegExp) => (error: unknown) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, wanted);
      assert.doesNotMatch(error.message, /answer|secret/);
      return true;
    };
    await assert.rejects(open(target), refusal(/sql\/ibex\.sql/));
    await tablesByHand(place);
    await place.run('alter table ibex_run drop column late');
    await assert.rejects(open(target), refusal(/alter table `ibex_run` add column `late`/));
    await place.run('drop table ibex_run');
    await assert.rejects(open(target), refusal(/CREATE TABLE IF NOT EXISTS `ibex_run`/));
  });

  for (const right of ['alter', 'index', 'references', 'create']) {
    it(`the right to ${right} upgrades as far as it can, and says what it can't`, async () => {
      const place = await freshPlace(silentLog, root());
      await place.run(...goTables('mediumtext'));
      const others = ['create', 'alter', 'index', 'references'].filter((name) => name !== right);
      const target = await userOf(place, `select, insert, update, delete, ${others.join(', ')}`);
      const log = new KeptLog();
      if (right === 'create') {
        await assert.rejects(open(target, log), /lack something that user .*sql\/ibex\.sql/);
        return;
      }
      await using store = await open(target, log);
      const missing = log.warnings.some(({ fields }) => 'run' in fields && String(fields.run).includes('add index'));
      // To add an index the right to alter is enough.
      assert.equal(missing, right === 'alter');
      await store.commit([createOf(metaOf(await store.nextTaskId()), { a: 5 })]);
    });
  }

  for (const [right, change] of [
    ['insert', createOf(metaOf(900), { a: 5 })],
    ['update', { kind: 'task-action', taskId: 7, action: 'pause', clock: 9 }],
    ['delete', { kind: 'drop-stray', taskId: 7, host: 'a', clock: 9 }],
  ] as const) {
    it(`the right to ${right} says so`, async () => {
      const place = await freshPlace(silentLog, root());
      await using f = await StoreFixture.open(place);
      await f.store.commit([createOf(metaOf(7), { a: 5 })]);
      const others = ['select', 'insert', 'update', 'delete'].filter((other) => other !== right);
      const target = await userOf(place, others.join(', '));
      await place.run(`grant all on \`${target.database}\`.ibex_writer to '${target.user}'@'%'`);
      await using store = await open(target);
      await assert.rejects(store.commit([change]), denied(/lacks a right on a table/));
      assert.deepEqual(await store.meta(7), metaOf(7));
    });
  }

  it('to be read says so', async () => {
    const place = await freshPlace(silentLog, root());
    await using f = await StoreFixture.open(place);
    const target = await userOf(place, '');
    const tables = ['ibex_cluster', 'task_action', 'ibex_writer'];
    await place.run(...tables.map((table) => `grant all on \`${target.database}\`.${table} to '${target.user}'@'%'`));
    await assert.rejects(open(target), /lack something that user .* may not add/);
    const all = (await place.run('show tables')).flatMap((row) => Object.values(row)).map(String);
    await place.run(
      ...all.map((table) => `grant insert, update, delete on \`${target.database}\`.${table} to '${target.user}'@'%'`),
    );
    await using store = await open(target);
    assert.equal(await store.action(7), undefined);
    await assert.rejects(store.meta(7), denied(/lacks a right on a table/));
    await f.store.ping();
  });

  it('one table only refuses what needs that', async () => {
    const place = await freshPlace(silentLog, root());
    await using f = await StoreFixture.open(place);
    for (const id of [7, 8]) await f.store.commit([createOf(metaOf(id), { a: 5 })]);
    await place.run('drop table task_host_7');
    const [seven, eight] = await Promise.allSettled([
      f.store.commit([end(7, 'a', 'x')]),
      f.store.commit([end(8, 'a', 'x')]),
    ]);
    assert.equal(eight.status, 'fulfilled');
    assert.ok(seven.status === 'rejected');
    denied(/a table is missing/)(seven.reason);
  });

  it('a value of one result stores the others of its group', async () => {
    const place = await freshPlace(silentLog, root());
    await using f = await StoreFixture.open(place);
    const id = await f.create({ a: 5, b: 5, c: 5 });
    await place.run(
      `create trigger t before update on task_host_${id % 100} for each row
       if new.stdout like 'bad%' then signal sqlstate '45000' set message_text = 'no'; end if`,
    );
    const outcomes = await Promise.allSettled(
      ['fine', 'bad', 'good'].map((stdout, i) => f.store.commit([end(id, 'abc'.charAt(i), stdout)])),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    const [, bad] = outcomes;
    assert.ok(bad?.status === 'rejected' && bad.reason instanceof RefusedError);
    assert.match(bad.reason.message, /a trigger/);
    await f.store.commit([end(id, 'b', '')]);
  });

  it('long statements says so', async () => {
    const place = await freshPlace(silentLog, root());
    await using f = await StoreFixture.open(place);
    const long = f.store.commit([createOf({ ...metaOf(7), stdin: 'x'.repeat(2 << 20) }, { a: 5 })]);
    await assert.rejects(long, (error) => {
      assert.ok(error instanceof RefusedError);
      assert.match(error.message, /max_allowed_packet \(1048576 bytes\)/);
      return true;
    });
  });

  it('to write while it is read-only says so, and starts', async () => {
    const place = await freshPlace(silentLog, root());
    const target = await userOf(place, 'all');
    await (await open(target))[Symbol.asyncDispose]();
    await place.run('set global read_only = 1');
    try {
      await using store = await open(target);
      await assert.rejects(store.commit([createOf(metaOf(7), { a: 5 })]), denied(/it is read-only/));
      assert.equal(await store.meta(7), undefined);
      await store.ping();
    } finally {
      await place.run('set global read_only = 0');
    }
  });

  it('more connections says so', async () => {
    const place = await freshPlace(silentLog, root());
    const target = await userOf(place, 'all');
    await (await open(target))[Symbol.asyncDispose]();
    await using store = await open(await userOf(place, 'all', 'with max_user_connections 1'));
    assert.equal(await store.meta(7), undefined);
    await assert.rejects(store.commit([createOf(metaOf(7), { a: 5 })]), denied(/max_user_connections/));
  });

  it('more connections of anyone says so', async () => {
    const place = await freshPlace(silentLog, root());
    const target = await userOf(place, 'all');
    await using store = await open(target);
    const sessions: MysqlSession[] = [];
    try {
      for (;;) sessions.push(await MysqlSession.open(target, { kind: 'read' }));
    } catch {
      // All are taken now; the store has those that it had before.
    }
    const answers = await Promise.allSettled([1, 2, 3, 4].map(() => store.meta(7)));
    const refused = answers.filter((answer) => answer.status === 'rejected');
    assert.notEqual(refused.length, 0);
    for (const { reason } of refused) denied(/too many connections/)(reason);
    for (const session of sessions) await session[Symbol.asyncDispose]();
  });

  for (const format of ['compact', 'redundant']) {
    it(`keys of more than 767 bytes (${format}) has all tables, new and a Go ibex's`, async () => {
      const server = await freshPlace(silentLog, root());
      await server.run(`set global innodb_default_row_format = ${format}`);
      try {
        await using f = await StoreFixture.open(await freshPlace(silentLog, root()));
        await f.store.meta(await f.create({ a: 5 }));
        const go = await freshPlace(silentLog, root());
        await go.run(...goTables('varchar'));
        await using g = await StoreFixture.open(go);
        await g.create({ a: 5 });
      } finally {
        await server.run('set global innodb_default_row_format = dynamic');
      }
    });
  }
});
