import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TaskChange } from '../core/changes.js';
import { DuplicateTaskError, StaleStateError, type Store } from './store.js';
import { createOf, metaOf } from './testing/sample-task.js';
import { openTaskIds, StoreFixture } from './testing/store-fixture.js';
import { testDatabases } from './testing/test-databases.js';

const KEY = { key: 'a'.repeat(64), ttlMs: 60_000, bodyDigest: null };

for (const database of testDatabases) {
  describe(`a group with members that fail, on ${database.name}`, { skip: database.skip }, () => {
    for (const [title, stale] of [
      ['every second one', (i: number) => i % 2 === 0],
      ['one in the middle', (i: number) => i === 37],
      ['the last ones', (i: number) => i >= 95],
      ['all but one', (i: number) => i !== 42],
    ] as const) {
      it(`stores the others where it is ${title}`, async () => {
        await using f = await StoreFixture.open(database.place());
        const ids = await Promise.all(Array.from({ length: 100 }, () => f.create({ a: undefined, b: undefined })));
        const outcomes = await Promise.allSettled(
          ids.map((taskId, i) =>
            f.store.commit([
              start(taskId, 'a'),
              { kind: 'start-host', taskId, host: 'b', from: stale(i) ? 'running' : 'waiting', clock: 10 },
              { kind: 'task-action', taskId, action: 'pause', clock: 11 },
            ]),
          ),
        );
        const wanted = ids.map((_, i) => (stale(i) ? 'StaleStateError' : 'stored'));
        assert.deepEqual(outcomes.map(outcomeOf), wanted);
        const stored = await Promise.all(ids.map((id) => startedOf(f.store, id)));
        assert.deepEqual(
          stored,
          ids.map((_, i) => (stale(i) ? ['start', 'waiting', 'waiting'] : ['pause', 'running', 'running'])),
        );
      });
    }

    it('tells each why', async () => {
      await using f = await StoreFixture.open(database.place());
      const ids = [];
      for (let i = 0; i < 5; i++) ids.push(await f.store.nextTaskId());
      const [one = 0, two = 0, three = 0, four = 0, five = 0] = ids;
      const outcomes = await Promise.allSettled([
        f.store.commit([createOf(metaOf(one), { a: 1 }, [KEY])]),
        f.store.commit([createOf(metaOf(two), { a: 1 }, [KEY])]),
        f.store.commit([createOf(metaOf(three), { a: 1 })]),
        f.store.commit([createOf(metaOf(three), { b: 1 }, [{ ...KEY, key: 'b'.repeat(64) }])]),
        f.store.commit([createOf(metaOf(four), { a: undefined }), start(four, 'b')]),
        f.store.commit([createOf(metaOf(five), { a: 1, ['h'.repeat(200)]: 1 })]),
      ]);
      // The name of a host is too long for MySQL's column, and not for SQLite.
      const [last] = outcomes.splice(-1).map(outcomeOf);
      assert.ok(['StoreError', 'stored'].includes(String(last)), String(last));
      assert.deepEqual(outcomes.map(outcomeOf), [
        'stored',
        'DuplicateTaskError',
        'stored',
        'TaskIdTakenError',
        'StaleStateError',
      ]);
      const [, second] = outcomes;
      assert.ok(second?.status === 'rejected' && second.reason instanceof DuplicateTaskError);
      assert.equal(second.reason.taskId, one);
      assert.deepEqual(await openTaskIds(f.store), last === 'stored' ? [one, three, five] : [one, three]);
      assert.deepEqual(await f.store.hosts(three), [{ host: 'a', status: 'running' }]);
      // The idempotency key of a member that failed is not taken.
      await f.create({ a: 1 }, {}, [{ ...KEY, key: 'b'.repeat(64) }]);
    });

    it('lets a member rely on those before it that are stored', async () => {
      await using f = await StoreFixture.open(database.place());
      const [one, two] = [await f.store.nextTaskId(), await f.store.nextTaskId()];
      const outcomes = await Promise.allSettled([
        f.store.commit([createOf(metaOf(one), { a: undefined, b: undefined })]),
        f.store.commit([createOf(metaOf(two), { a: undefined }), start(two, 'b')]),
        f.store.commit([start(one, 'a')]),
        f.store.commit([start(one, 'a')]),
        f.store.commit([start(two, 'a')]),
        f.store.commit([start(one, 'b')]),
      ]);
      const stale = 'StaleStateError';
      assert.deepEqual(outcomes.map(outcomeOf), ['stored', stale, 'stored', stale, stale, 'stored']);
      assert.deepEqual(await startedOf(f.store, one), ['start', 'running', 'running']);
      assert.deepEqual(await openTaskIds(f.store), [one]);
    });

    it('stores nothing where all of them fail, and goes on', async () => {
      await using f = await StoreFixture.open(database.place());
      const id = await f.create({ a: undefined });
      const refused = Array.from({ length: 10 }, () => f.store.commit([start(id, 'a'), start(id, 'a')]));
      for (const outcome of await Promise.allSettled(refused)) {
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StaleStateError);
      }
      await f.store.commit([start(id, 'a')]);
      assert.deepEqual(await f.store.hosts(id), [{ host: 'a', status: 'running' }]);
    });
  });
}

function start(taskId: number, host: string): TaskChange {
  return { kind: 'start-host', taskId, host, from: 'waiting', clock: 10 };
}

function outcomeOf(outcome: PromiseSettledResult<void>): string {
  if (outcome.status === 'fulfilled') return 'stored';
  return outcome.reason instanceof Error ? outcome.reason.name : String(outcome.reason);
}

/** Its action, then the status of each host. */
async function startedOf(store: Store, taskId: number): Promise<readonly (string | undefined)[]> {
  const [action, hosts] = await Promise.all([store.action(taskId), store.hosts(taskId)]);
  return [action, ...hosts.map(({ status }) => status)];
}
