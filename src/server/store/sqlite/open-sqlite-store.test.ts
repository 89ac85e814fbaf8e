import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { UserError } from '../../../shared/errors.js';
import { createOf, endOf, metaOf } from '../testing/sample-task.js';
import { DeniedError } from '../store.js';
import { StoreFixture } from '../testing/store-fixture.js';
import { SqlitePlace } from '../testing/store-place.js';
import { openSqliteStore } from './open-sqlite-store.js';

/** Commits tasks as fast as it can and says the id of each once it is durable, until it is killed. */
const WRITER = `
  const [, path, opener, fixture] = process.argv;
  const { openSqliteStore } = await import(opener);
  const { createOf, metaOf } = await import(fixture);
  const store = await openSqliteStore({ path });
  for (;;) {
    const id = await store.nextTaskId();
    await store.commit([createOf(metaOf(id), { a: 1, b: undefined })]);
    console.log(id);
  }
`;

describe('opening a SQLite store', () => {
  it('makes missing folders, and finds everything again', async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    const { cluster } = f.store;
    assert.match(cluster.id, /^[0-9a-f]{32}$/);
    const id = await f.create({ a: 5 });
    await f.reopen();
    assert.equal(f.store.cluster.id, cluster.id);
    assert.equal(f.store.cluster.identity.publicKey, cluster.identity.publicKey);
    assert.deepEqual(await f.store.meta(id), metaOf(id));
    await f.store.ping();
  });

  it('says clearly what is wrong with a file that can not be used', async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    const folder = dirname(f.place.path);
    const text = join(folder, 'text');
    writeFileSync(text, 'this is no database, whatever its name says\n'.repeat(50));
    const isFolder = join(folder, 'folder');
    mkdirSync(isFolder);
    for (const path of [text, isFolder, join(text, 'below', 'ibex.db')]) {
      await assert.rejects(openSqliteStore({ path }), (error: unknown) => {
        assert.ok(error instanceof UserError, String(error));
        assert.ok(error.message.includes(path), error.message);
        return true;
      });
    }
  });

  it("keeps the cluster's key from other accounts, in a file that was open to them before, too", async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    await f.store[Symbol.asyncDispose]();
    chmodSync(f.place.path, 0o644);
    await f.reopen();
    await f.store.nextTaskId();
    for (const file of [f.place.path, `${f.place.path}-wal`, `${f.place.path}-shm`]) {
      assert.equal(statSync(file).mode & 0o777, 0o600, file);
    }
  });

  it('answers with StoreError once it is closed', async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    await f.store[Symbol.asyncDispose]();
    await assert.rejects(f.store.ping(), { name: 'StoreError', message: 'the database does not answer' });
    await assert.rejects(f.store.commit([endOf(1)]), { name: 'StoreError' });
  });

  it('creates nothing for a caller who leaves while another program holds the lock, and holds nobody else up', async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    await f.create({ a: 5 });
    const other = new Database(f.place.path);
    other.exec('begin immediate');
    const caller = new AbortController();
    const outcomes = Promise.allSettled([
      f.store.commit([createOf(metaOf(7), { a: 5 })], caller.signal),
      f.store.commit([createOf(metaOf(8), { a: 5 })]),
    ]);
    // The event loop turns, and reading goes on.
    assert.equal(await f.store.meta(7), undefined);
    caller.abort();
    other.exec('rollback');
    other.close();
    assert.deepEqual(
      (await outcomes).map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'stored')),
      ['NotWantedError: nobody waits for this any more', 'stored'],
    );
    assert.equal(await f.store.meta(7), undefined);
  });

  it('says that another program holds the lock, where it does so for long', async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    const other = new Database(f.place.path);
    other.exec('begin immediate');
    await assert.rejects(f.store.commit([createOf(metaOf(7), { a: 5 })]), (error) => {
      assert.ok(error instanceof DeniedError);
      assert.equal(error.message, 'the database refuses: another process keeps it locked');
      return true;
    });
    other.close();
    await f.store.commit([createOf(metaOf(7), { a: 5 })]);
  });

  it('uses a file in another encoding as it is', async () => {
    await using place = new SqlitePlace();
    mkdirSync(dirname(place.path), { recursive: true });
    await place.run("pragma encoding = 'UTF-16le'", 'create table theirs (a text)');
    await using store = await place.open();
    await store.commit([createOf({ ...metaOf(7), title: '夜莺 🔥' }, { '🔥': 5 })]);
    assert.equal((await store.meta(7))?.title, '夜莺 🔥');
    assert.equal((await store.outputs(7, '🔥')).length, 1);
  });

  it('has everything it acknowledged after a kill -9, and gives no id twice', async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    await f.store[Symbol.asyncDispose]();
    const modules = ['./open-sqlite-store.js', '../testing/sample-task.js'].map(
      (path) => new URL(path, import.meta.url),
    );
    const args = ['--input-type=module', '-e', WRITER, f.place.path, ...modules.map(String)];
    const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let last = 0;
    for await (const line of createInterface({ input: writer.stdout })) {
      last = Number(line);
      if (last >= 150) break;
    }
    const ended = once(writer, 'exit');
    writer.kill('SIGKILL');
    await ended;
    await f.reopen();
    for (let id = 1; id <= last; id++) assert.equal((await f.store.hosts(id)).length, 2, `task ${id}`);
    const next = await f.store.nextTaskId();
    assert.ok(next > last);
    assert.equal(await f.store.meta(next), undefined);
  });
});
