import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StaleStateError } from './store.js';
import { createOf, detailOf, endOf, metaOf } from './testing/sample-task.js';
import { StoreFixture } from './testing/store-fixture.js';
import { testDatabases } from './testing/test-databases.js';

const ME = '127.0.0.1:20090';
const ACTION_CLOCK = Math.floor(metaOf(1).created.getTime() / 1_000);

for (const database of testDatabases) {
  const options = { skip: database.skip };
  describe(`who schedules what, on ${database.name}`, options, () => {
    it('is told by name, and changes hands once', async () => {
      await using f = await StoreFixture.open(database.place());
      const { schedulers } = f.store;
      const ids = [await f.create({ a: 5 }), await f.create({ a: 5 }), await f.create({ a: 5 })];
      assert.equal(await schedulers.take(ids.slice(0, 2), ME, 'two'), 2);
      assert.equal(await schedulers.take(ids, ME, 'three'), 1);
      assert.equal(await schedulers.take(ids, ME, 'four'), 0);
      const { tasks } = await f.store.snapshot();
      assert.deepEqual(
        tasks.map(({ scheduler }) => scheduler ?? '').toSorted((x, y) => x.localeCompare(y)),
        ['three', 'two', 'two'],
      );
      assert.equal((await f.store.openTask(ids[0] ?? 0))?.scheduler, 'two');
      await schedulers.adopt(ids[0] ?? 0, 'five');
      assert.equal((await f.store.openTask(ids[0] ?? 0))?.scheduler, 'five');
      await assert.rejects(schedulers.adopt(900_000_000_001, 'five'), StaleStateError);
    });

    it('lets a scheduler go silent, and be gone', async () => {
      await using f = await StoreFixture.open(database.place());
      const { schedulers } = f.store;
      await schedulers.beat('one');
      await schedulers.beat('one');
      const silentMs = (await schedulers.silence()).get('one');
      assert.ok(silentMs !== undefined && silentMs >= 0 && silentMs < 60_000, `${silentMs}`);
      await schedulers.retire('one');
      assert.deepEqual(await schedulers.silence(), new Map());
    });

    it('refuses changes in the name of one that does not have the task, or of an action that is no more', async () => {
      await using f = await StoreFixture.open(database.place());
      const taskId = await f.create({ a: undefined, b: undefined });
      const start = { kind: 'start-host', taskId, host: 'a', from: 'waiting', clock: 10 } as const;
      const as = { kind: 'as-scheduler', taskId, scheduler: ME, action: 'start', actionClock: ACTION_CLOCK } as const;
      await assert.rejects(f.store.commit([{ ...as, scheduler: 'other' }, start]), StaleStateError);
      await assert.rejects(f.store.commit([{ ...as, action: 'pause' }, start]), StaleStateError);
      await assert.rejects(f.store.commit([{ ...as, actionClock: ACTION_CLOCK + 1 }, start]), StaleStateError);
      assert.deepEqual((await f.store.snapshot()).activeRuns, []);
      await f.store.commit([as, start]);
      assert.equal((await f.store.snapshot()).activeRuns.length, 1);
    });

    it('ends a task only in the name of who has it, and while nothing of it is under way', async () => {
      await using f = await StoreFixture.open(database.place());
      const taskId = await f.create({ a: 5, b: undefined });
      const end = endOf(taskId);
      assert.ok(end.kind === 'end-task');
      await assert.rejects(f.store.commit([end]), StaleStateError, 'a is under way');
      await f.store.commit([{ kind: 'drop-stray', taskId, host: 'a', clock: 4 }]);
      await assert.rejects(f.store.commit([end]), StaleStateError, 'that was another one');
      await f.store.commit([{ kind: 'drop-stray', taskId, host: 'a', clock: 5 }]);
      await assert.rejects(f.store.commit([{ ...end, scheduler: 'other' }]), StaleStateError);
      await assert.rejects(f.store.commit([{ ...end, actionClock: end.actionClock + 1 }]), StaleStateError);
      await f.store.commit([end]);
      assert.deepEqual((await f.store.snapshot()).tasks, []);
      await assert.rejects(f.store.commit([{ kind: 'touch-task', taskId, clock: 99 }]), StaleStateError);
    });

    it('keeps one refused commit from the others that share its transaction', async () => {
      await using f = await StoreFixture.open(database.place());
      const ids = await Promise.all(Array.from({ length: 20 }, () => f.create({ a: undefined })));
      const outcomes = await Promise.allSettled(
        ids.map((taskId, i) =>
          f.store.commit([
            {
              kind: 'as-scheduler',
              taskId,
              scheduler: i === 7 ? 'other' : ME,
              action: 'start',
              actionClock: ACTION_CLOCK,
            },
            { kind: 'start-host', taskId, host: 'a', from: 'waiting', clock: 10 },
          ]),
        ),
      );
      assert.deepEqual(outcomes.map(({ status }) => status).indexOf('rejected'), 7);
      assert.equal((await f.store.snapshot()).activeRuns.length, 19);
    });

    it('lets a server pass on a start only while it is wanted', async () => {
      await using f = await StoreFixture.open(database.place());
      const taskId = await f.create({ a: 5 });
      const take = { kind: 'dispatch-stored', taskId, host: 'a', run: { taskId, clock: 5 } } as const;
      assert.equal((await f.store.openTask(taskId))?.hosts[0]?.dispatched, false);
      await assert.rejects(f.store.commit([{ ...take, run: { taskId, clock: 4 } }]), StaleStateError);
      await f.store.commit([take]);
      assert.equal((await f.store.openTask(taskId))?.hosts[0]?.dispatched, true);
      await f.store.commit([{ kind: 'kill-host', taskId, host: 'a', from: 'running', startClock: 5, clock: 9 }]);
      await assert.rejects(f.store.commit([take]), StaleStateError);
    });

    it('lets a start be given up only while it is noted nowhere that it was sent', async () => {
      await using f = await StoreFixture.open(database.place());
      const taskId = await f.create({ a: undefined, b: 5 });
      const untaken = { kind: 'not-dispatched', taskId, host: 'a', clock: 10 } as const;
      await f.store.commit([
        { kind: 'start-host', taskId, host: 'a', from: 'waiting', clock: 10 },
        { kind: 'note-dispatch', taskId, host: 'a', clock: 10 },
      ]);
      assert.equal((await f.store.openTask(taskId))?.hosts[0]?.dispatched, true);
      await assert.rejects(f.store.commit([untaken]), StaleStateError, 'it was sent');
      await assert.rejects(f.store.commit([{ ...untaken, host: 'b' }]), StaleStateError, 'that was another start');
      const detail = detailOf(taskId, 'b', 5, { reason: 'not-started', endedMs: null });
      const end = { kind: 'end-host', taskId, host: 'b', from: 'running', to: 'killed', output: undefined } as const;
      await f.store.commit([
        { ...untaken, host: 'b', clock: 5 },
        { ...end, detail },
      ]);
      assert.equal((await f.store.openTask(taskId))?.hosts[1]?.dispatched, false);
    });

    it('shows all that is under way, or only some of it', async () => {
      await using f = await StoreFixture.open(database.place());
      const one = await f.create({ a: 5, b: undefined });
      const two = await f.create({ A: 6, b: 7 });
      await f.store.commit([{ kind: 'touch-task', taskId: two, clock: 99 }]);
      const all = await f.store.snapshot();
      assert.deepEqual(
        all.tasks.map(({ taskId }) => taskId).sort((x, y) => x - y),
        [one, two],
      );
      assert.equal(all.activeRuns.length, 3);
      const some = await f.store.snapshot([two, 900_000_000_001]);
      assert.deepEqual(some.tasks, [{ taskId: two, action: 'start', actionClock: 99, scheduler: ME }]);
      assert.equal(some.activeRuns.length, 2);
      assert.deepEqual(await f.store.activeRunsOf(['a']), [{ taskId: one, host: 'a', clock: 5, action: 'start' }]);
      assert.deepEqual(
        (await f.store.openTask(two, ['b', 'a']))?.hosts.map(({ host }) => host),
        ['b'],
      );
    });

    it('has a task in one hand only after two servers have reached for it', async () => {
      await using f = await StoreFixture.open(database.place());
      const id = await f.store.nextTaskId();
      await f.store.commit([{ ...createOf(metaOf(id), { a: 1 }), scheduler: '' } as ReturnType<typeof createOf>]);
      await Promise.all(['x', 'y', 'z'].map((name) => f.store.schedulers.adopt(id, name)));
      const { tasks } = await f.store.snapshot();
      assert.equal(tasks.length, 1);
      assert.match(tasks[0]?.scheduler ?? '', /^[xyz]$/);
    });
  });
}
