import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TaskChange } from '../core/changes.js';
import type { TaskListFilter } from './store.js';
import { createOf, detailOf, endOf, metaOf } from './testing/sample-task.js';
import { openTaskIds, StoreFixture } from './testing/store-fixture.js';
import { testDatabases } from './testing/test-databases.js';

for (const database of testDatabases) {
  const options = { skip: database.skip };
  describe(`the store on ${database.name}`, options, () => {
    describe('a task in the store', options, () => {
      it('reads as it was created, with its hosts in the order given', async () => {
        await using f = await StoreFixture.open(database.place());
        const id = await f.create({ c: 5, a: undefined, b: 5 });
        assert.deepEqual(await f.store.meta(id), metaOf(id));
        assert.equal(await f.store.action(id), 'start');
        assert.deepEqual(await f.store.hosts(id), [
          { host: 'c', status: 'running' },
          { host: 'a', status: 'waiting' },
          { host: 'b', status: 'running' },
        ]);
        assert.deepEqual((await f.store.outputs(id))[1], { host: 'a', status: 'waiting', stdout: '', stderr: '' });
        assert.deepEqual(await f.store.openTask(id), {
          meta: metaOf(id),
          action: 'start',
          actionClock: Math.floor(metaOf(id).created.getTime() / 1_000),
          scheduler: '127.0.0.1:20090',
          hosts: [
            {
              host: 'c',
              status: 'running',
              activeRun: { clock: 5, action: 'start' },
              strayClock: undefined,
              startClock: 5,
              startedMs: null,
              reported: false,
              dispatched: false,
            },
            {
              host: 'a',
              status: 'waiting',
              activeRun: undefined,
              strayClock: undefined,
              startClock: 0,
              startedMs: null,
              reported: false,
              dispatched: false,
            },
            {
              host: 'b',
              status: 'running',
              activeRun: { clock: 5, action: 'start' },
              strayClock: undefined,
              startClock: 5,
              startedMs: null,
              reported: false,
              dispatched: false,
            },
          ],
        });
      });

      it('may have ten thousand hosts', async () => {
        await using f = await StoreFixture.open(database.place());
        const names = Array.from({ length: 10_000 }, (_, i) => `host-${i}`);
        const id = await f.create(Object.fromEntries(names.map((name) => [name, 5])));
        assert.deepEqual(
          (await f.store.hosts(id)).map(({ host }) => host),
          names,
        );
        assert.equal(
          (await f.store.openTask(id))?.hosts.every(({ startClock }) => startClock === 5),
          true,
        );
      });

      it('is unknown where it does not exist, whatever the id', async () => {
        await using f = await StoreFixture.open(database.place());
        for (const id of [0, -1, 900_000_000_001]) {
          assert.equal(await f.store.meta(id), undefined);
          assert.equal(await f.store.action(id), undefined);
          assert.equal(await f.store.openTask(id), undefined);
          assert.equal(await f.store.lastRun(id, 'a'), undefined);
          assert.deepEqual(await f.store.hosts(id), []);
          assert.deepEqual(await f.store.outputs(id, 'a'), []);
          assert.deepEqual(await f.store.runDetails(id), []);
        }
      });

      it('goes through start, kill, end, redo and late output', async () => {
        await using f = await StoreFixture.open(database.place());
        const id = await f.create({ a: undefined, b: undefined });
        await f.store.commit([{ kind: 'start-host', taskId: id, host: 'a', from: 'waiting', clock: 10 }]);
        await f.store.commit([
          { kind: 'host-started', taskId: id, host: 'a', run: { taskId: id, clock: 10 }, startedMs: 99 },
        ]);
        assert.equal((await f.store.openTask(id))?.hosts[0]?.startedMs, 99);
        await f.store.commit([
          { kind: 'kill-host', taskId: id, host: 'a', from: 'running', startClock: 10, clock: 12 },
        ]);
        const [killing] = (await f.store.openTask(id))?.hosts ?? [];
        assert.deepEqual(killing?.activeRun, { clock: 12, action: 'kill' });
        assert.equal(killing.startClock, 10);
        assert.equal(killing.startedMs, 99);
        assert.deepEqual(await f.store.lastRun(id, 'a'), { status: 'killing', startClock: 10, reported: false });

        const output = { stdout: 'out\u0000夜', stderr: 'err' };
        const detail = detailOf(id, 'a', 10, { startedMs: null, late: false });
        await f.store.commit([
          { kind: 'end-host', taskId: id, host: 'a', from: 'killing', to: 'killed', output, detail },
        ]);
        assert.deepEqual((await f.store.outputs(id))[0], { host: 'a', status: 'killed', ...output });
        assert.deepEqual(await f.store.runDetails(id), [{ ...detail, startedMs: 99 }]);
        assert.deepEqual(await f.store.lastRun(id, 'a'), { status: 'killed', startClock: 10, reported: true });

        await f.store.commit([{ kind: 'start-host', taskId: id, host: 'a', from: 'killed', clock: 20 }]);
        assert.deepEqual((await f.store.outputs(id))[0], { host: 'a', status: 'running', stdout: '', stderr: '' });
        assert.deepEqual(await f.store.lastRun(id, 'a'), { status: 'running', startClock: 20, reported: false });
        const settled = detailOf(id, 'a', 20, { endedMs: null, reason: 'silent', late: false });
        await f.store.commit([
          {
            kind: 'end-host',
            taskId: id,
            host: 'a',
            from: 'running',
            to: 'timeout',
            output: undefined,
            detail: settled,
          },
        ]);
        assert.equal((await f.store.lastRun(id, 'a'))?.reported, false);
        await f.store.commit([
          { kind: 'late-output', taskId: id, host: 'a', output, detail: detailOf(id, 'a', 20, { late: true }) },
          {
            kind: 'late-output',
            taskId: id,
            host: 'a',
            output: undefined,
            detail: detailOf(id, 'a', 10, { late: true }),
          },
        ]);
        assert.deepEqual((await f.store.outputs(id, 'a'))[0], { host: 'a', status: 'timeout', ...output });
        assert.deepEqual(
          (await f.store.runDetails(id)).map(({ clock, late }) => [clock, late]),
          [
            [10, true],
            [20, true],
          ],
        );
      });

      it('is done once its action is gone', async () => {
        await using f = await StoreFixture.open(database.place());
        const [one, two] = [await f.create({ a: undefined }), await f.create({ a: undefined })];
        await f.store.commit([{ kind: 'task-action', taskId: one, action: 'pause', clock: 3 }]);
        assert.equal(await f.store.action(one), 'pause');
        assert.deepEqual(await openTaskIds(f.store), [one, two]);
        const end = endOf(one);
        assert.ok(end.kind === 'end-task');
        await f.store.commit([{ ...end, action: 'pause', actionClock: 3 }]);
        assert.equal(await f.store.action(one), undefined);
        assert.equal(await f.store.openTask(one), undefined);
        assert.deepEqual(await openTaskIds(f.store), [two]);
        const many = Array.from({ length: 2_000 }, (_, i) => Math.max(0, one - 1_000) + i);
        assert.deepEqual(await f.store.openAmong(many), new Set([two]));
      });

      it('changes for all hosts of a commit or for none, also where one differs by letter case only', async () => {
        await using f = await StoreFixture.open(database.place());
        const id = await f.create({ a: 5, 'Web-01': 5, c: 5 });
        const end = (host: string): TaskChange => {
          return { kind: 'end-host', taskId: id, host, from: 'running', to: 'failed', output, detail: undefined };
        };
        // What escaping could go wrong with.
        const output = { stdout: `it's ? "?" \\? \0 %\n`, stderr: '\\' };
        await assert.rejects(f.store.commit(['a', 'WEB-01', 'c'].map(end)), { name: 'StaleStateError' });
        await assert.rejects(f.store.commit([end('web-01')]), { name: 'StaleStateError' });
        await f.store.commit([end('c')]);
        await assert.rejects(f.store.commit(['a', 'Web-01', 'c'].map(end)), { name: 'StaleStateError' });
        assert.deepEqual(await f.store.outputs(id), [
          { host: 'a', status: 'running', stdout: '', stderr: '' },
          { host: 'Web-01', status: 'running', stdout: '', stderr: '' },
          { host: 'c', status: 'failed', ...output },
        ]);
        await f.store.commit(['a', 'Web-01'].map(end));
        assert.deepEqual(
          (await f.store.outputs(id)).map(({ stdout }) => stdout),
          Array(3).fill(output.stdout),
        );
      });

      it('is found by another letter case of its host, but not taken for it', async () => {
        await using f = await StoreFixture.open(database.place());
        const id = await f.create({ 'Web-01': 5, 'web-02': 5 });
        assert.equal((await f.store.outputs(id, 'WEB-01'))[0]?.host, 'Web-01');
        assert.equal(await f.store.lastRun(id, 'web-01'), undefined);
        await assert.rejects(
          f.store.commit([{ kind: 'start-host', taskId: id, host: 'WEB-02', from: 'running', clock: 6 }]),
          { name: 'StaleStateError' },
        );
      });
    });

    describe('listing tasks', options, () => {
      const all: TaskListFilter = { creator: '', words: [], sinceMs: undefined, limit: 0, offset: 0 };

      it('filters by creator, words and time, newest first', async () => {
        await using f = await StoreFixture.open(database.place());
        const created = new Date('2026-01-02T03:04:05Z');
        const later = new Date('2026-01-02T03:04:06Z');
        const one = await f.create({ a: 1 }, { title: 'Disk full 100%', creator: 'x', created: later });
        const two = await f.create({ a: undefined }, { title: 'cpu full', creator: 'x', created });
        const three = await f.create({ a: 1 }, { title: 'cpu_idle', creator: 'xx', created });
        await f.store.commit([endOf(two)]);
        const ids = async (filter: Partial<TaskListFilter>) =>
          (await f.store.listTasks({ ...all, ...filter })).list.map(({ id }) => id);
        assert.deepEqual(await ids({}), [one, three, two]);
        assert.deepEqual(await ids({ creator: 'x' }), [one, two]);
        assert.deepEqual(await ids({ words: ['FULL', 'dis'] }), [one]);
        assert.deepEqual(await ids({ words: ['-disk'] }), [three, two]);
        assert.deepEqual(await ids({ words: ['%'] }), [one]);
        assert.deepEqual(await ids({ words: ['u_i'] }), [three]);
        assert.deepEqual(await ids({ words: ['-full', 'idle'], creator: 'x' }), []);
        const since = await f.store.listTasks({ ...all, sinceMs: created.getTime() });
        assert.deepEqual(
          since.list.map(({ id }) => id),
          [one],
        );
        const page = await f.store.listTasks({ ...all, limit: 1, offset: 1 });
        assert.equal(page.total, 3);
        assert.deepEqual(page.list, [{ ...metaOf(three), title: 'cpu_idle', creator: 'xx', created, done: false }]);
        assert.equal((await f.store.listTasks(all)).list[2]?.done, true);
      });
    });

    describe('task ids', options, () => {
      it('rise, and are never given again', async () => {
        await using f = await StoreFixture.open(database.place());
        const ids = await Promise.all(Array.from({ length: 250 }, () => f.store.nextTaskId()));
        const first = ids[0] ?? 0;
        assert.ok(first >= 1);
        assert.deepEqual(
          ids,
          Array.from({ length: 250 }, (_, i) => first + i),
        );
        await f.reopen();
        assert.equal(await f.store.nextTaskId(), first + 250);
      });

      it('are given to one of two servers only', async () => {
        await using f = await StoreFixture.open(database.place());
        await using other = await f.place.open();
        const ids = await Promise.all(Array.from({ length: 600 }, (_, i) => (i % 2 ? other : f.store).nextTaskId()));
        assert.equal(new Set(ids).size, 600);
      });

      it('are looked for above those that someone else has used', async () => {
        await using f = await StoreFixture.open(database.place());
        const id = await f.store.nextTaskId();
        await using other = await f.place.open();
        // As a program would that takes the database's own numbers.
        await other.commit([createOf(metaOf(id + 3), { a: 1 })]);
        await f.store.commit([createOf(metaOf(id), { a: 1 })]);
        await assert.rejects(f.store.commit([createOf(metaOf(id + 3), { a: 1 })]), { name: 'TaskIdTakenError' });
        assert.ok((await f.store.nextTaskId()) > id + 3);
        assert.deepEqual(await f.store.meta(id + 3), metaOf(id + 3));
      });

      it('start at FirstId, or above what is there already', async () => {
        await using f = await StoreFixture.open(database.place(), 1_000);
        assert.equal(await f.store.nextTaskId(), 1_000);
        await f.reopen(10);
        assert.equal(await f.store.nextTaskId(), 1_001);
        await f.store.commit([createOf(metaOf(5_000), { a: 1 })]);
        await f.reopen(10);
        assert.equal(await f.store.nextTaskId(), 5_001);
        await f.reopen(9_000);
        assert.equal(await f.store.nextTaskId(), 9_000);
      });
    });
  });
}
