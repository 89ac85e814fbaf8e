import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TaskChange } from '../../core/changes.js';
import type { TaskMeta } from '../../core/records.js';
import { KeptLog } from '../testing/kept-log.js';
import { RefusedError } from '../store.js';
import { goTables } from '../testing/go-database.js';
import { createOf, detailOf, metaOf } from '../testing/sample-task.js';
import { StoreFixture } from '../testing/store-fixture.js';
import { freshPlace, testMysql } from '../testing/test-databases.js';

const skip = 'missing' in testMysql && testMysql.missing;
const FIELDS = ['title', 'account', 'pause', 'script', 'args', 'stdin', 'creator'] as const;
const ALL = { creator: '', words: [], sinceMs: undefined, limit: 0, offset: 0 };

/** What each character set has, and one character that it lacks; `substitute` stands for that in an output. */
const CHARSETS = [
  { charset: 'utf8mb3', has: 'é夜', lacks: '🔥', substitute: '\uFFFD' },
  { charset: 'latin1', has: 'é€', lacks: '夜', substitute: '?' },
  { charset: 'gbk', has: '夜莺', lacks: '🔥', substitute: '?' },
  { charset: 'ascii', has: 'e', lacks: 'é', substitute: '?' },
  { charset: 'ucs2', has: 'é夜', lacks: '🔥', substitute: '\uFFFD' },
] as const;

function ascii(id: number): TaskMeta {
  return { ...metaOf(id), script: 'echo 1' };
}

function end(taskId: number, host: string, stdout: string): TaskChange {
  const output = { stdout, stderr: `${stdout}.` };
  return { kind: 'end-host', taskId, host, from: 'running', to: 'failed', output, detail: detailOf(taskId, host, 5) };
}

for (const { charset, has, lacks, substitute } of CHARSETS) {
  describe(`a Go ibex's tables in ${charset}`, { skip }, () => {
    it('hold results with what they lack replaced, and refuse tasks by field and character set', async () => {
      const log = new KeptLog();
      const place = await freshPlace(log);
      await place.run(...goTables('mediumtext', charset));
      await using f = await StoreFixture.open(place);
      const { store } = f;

      const warning = JSON.stringify(log.warnings);
      for (const told of [charset, 'task_meta', 'ALTER TABLE `task_host_99` CONVERT TO CHARACTER SET utf8mb4;']) {
        assert.ok(warning.includes(told), `${told} in ${warning.slice(0, 1_000)}`);
      }

      const id = await store.nextTaskId();
      const texts = Object.fromEntries(FIELDS.map((field) => [field, `x${has}`]));
      const meta = { ...ascii(id), ...texts };
      const host = `web-${has}`;
      await store.commit([createOf(meta, { [host]: 5, b: 5, [`c-${has}`]: 5, d: 5 })]);
      assert.deepEqual(await store.meta(id), meta);

      // One alone and two that are joined are different statements.
      await store.commit([end(id, host, `a${lacks}z${has}`)]);
      await store.commit([end(id, 'b', `${lacks}${lacks}`), end(id, `c-${has}`, has.repeat(3))]);
      const rows = await store.outputs(id);
      assert.deepEqual(
        rows.map((row) => [row.host, row.status, row.stdout]),
        [
          [host, 'failed', `a${substitute}z${has}`],
          ['b', 'failed', substitute.repeat(2)],
          [`c-${has}`, 'failed', has.repeat(3)],
          ['d', 'running', ''],
        ],
      );
      assert.deepEqual(
        new Map((await store.runDetails(id)).map((run) => [run.host, run.exitCode])),
        new Map([host, 'b', `c-${has}`].map((name) => [name, 3])),
      );

      // As much as the API stores, of which two bytes a character take twice the room.
      await store.commit([end(id, 'd', `${'x'.repeat(65_534)}e`)]);
      const [long] = await store.outputs(id, 'd');
      assert.ok(long && long.stdout.endsWith('xe') && long.stdout.length > 16_000, `${long?.stdout.length}`);

      for (const field of FIELDS) {
        const refused = store.commit([createOf({ ...ascii(id + 1), [field]: `x${lacks}` }, { a: 1 })]);
        await assert.rejects(refused, (error) => {
          assert.ok(error instanceof RefusedError, String(error));
          assert.ok(error.message.startsWith(`${field}: `) && error.message.includes(charset), error.message);
          return true;
        });
      }
      await assert.rejects(store.commit([createOf(ascii(id + 1), { a: 1, [`x${lacks}`]: 1 })]), /^StoreError: hosts: /);
      assert.equal(await store.meta(id + 1), undefined);

      assert.deepEqual(await store.outputs(id, `web-${lacks}`), []);
      assert.equal(await store.lastRun(id, lacks), undefined);
      assert.deepEqual(await store.activeRunsOf([lacks, host]), []);
      assert.equal((await store.listTasks({ ...ALL, words: [lacks] })).total, 0);
      assert.equal((await store.listTasks({ ...ALL, words: [`-${lacks}`] })).total, 1);
      assert.equal((await store.listTasks({ ...ALL, words: [has] })).total, 1);
    });
  });
}

describe('a table that was changed by hand', { skip }, () => {
  it('may have one column that holds less', async () => {
    const place = await freshPlace();
    await (await place.open())[Symbol.asyncDispose]();
    await place.run(
      'alter table task_meta modify title varchar(255) character set latin1, modify args varchar(16)',
      'alter table task_host_7 modify stderr varchar(10) character set gbk',
    );
    await using f = await StoreFixture.open(place);
    const { store } = f;
    await assert.rejects(store.commit([createOf({ ...metaOf(1), title: '夜' }, { a: 5 })]), /title: .*latin1/);
    await assert.rejects(store.commit([createOf({ ...metaOf(1), args: 'x'.repeat(17) }, { a: 5 })]), /args: .*longer/);
    await store.commit([createOf({ ...metaOf(107), creator: '夜🔥' }, { a: 5 })]);
    await store.commit([end(107, 'a', '0123456789🔥')]);
    const [row] = await store.outputs(107);
    assert.deepEqual([row?.stdout, row?.stderr], ['0123456789🔥', '23456789?.']);
  });
});
