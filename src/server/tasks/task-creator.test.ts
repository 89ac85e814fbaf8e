import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NotWantedError } from '../store/store.js';
import { mysqlPlace, testDatabases, testMysql } from '../store/testing/test-databases.js';
import { createTaskService } from './create-task-service.js';
import { KeyReusedError } from './task-service.js';
import { newTask, RecordingGateway } from './testing/fixture.js';
import { silentLog, type StorePlace } from '../store/testing/store-place.js';
import type { Store } from '../store/store.js';
import { openTaskIds } from '../store/testing/store-fixture.js';

const WINDOW_MS = 60_000;

/** A server on a place that others may share. */
async function server(place: StorePlace, clock: { nowMs: () => number } = { nowMs: Date.now }) {
  const store: Store = await place.open();
  const gateway = new RecordingGateway();
  gateway.online.add('a');
  const options = { store, gateway, log: silentLog, clock, schedulerName: 'a:1', duplicateWindowMs: WINDOW_MS };
  const service = await createTaskService(options);
  return {
    service,
    store,
    gateway,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

for (const database of testDatabases) {
  describe(`a request that comes twice, on ${database.name}`, { skip: database.skip }, () => {
    it('makes one task if it is an alarm, however many come at once, at either of two servers', async () => {
      await using place = database.place();
      await using one = await server(place);
      await using two = await server(place);
      const alarm = newTask({ stdin: 'alarm' });
      const created = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).service.create(alarm)),
      );
      assert.equal(new Set(created.map(({ id }) => id)).size, 1);
      assert.equal(created.filter(({ duplicate }) => !duplicate).length, 1);
      assert.equal(one.gateway.assigns.length + two.gateway.assigns.length, 1);
      assert.equal((await openTaskIds(one.store)).length, 1);
    });

    it('makes as many as were asked for where they differ, or carry no stdin', async () => {
      await using place = database.place();
      await using one = await server(place);
      const alarms = Array.from({ length: 20 }, (_, i) => newTask({ stdin: `alarm ${i}` }));
      const created = await Promise.all([...alarms, newTask(), newTask()].map((task) => one.service.create(task)));
      assert.equal(new Set(created.map(({ id }) => id)).size, 22);
      assert.ok(created.every(({ duplicate }) => !duplicate));
    });

    it('makes one task under one key of its caller, also after a restart', async () => {
      await using place = database.place();
      let first: number;
      {
        await using one = await server(place);
        ({ id: first } = await one.service.create(newTask({ idempotencyKey: 'k' })));
        assert.notEqual((await one.service.create(newTask({ idempotencyKey: 'K' }))).id, first);
      }
      await using two = await server(place);
      const again = await two.service.create(newTask({ idempotencyKey: 'k' }));
      assert.deepEqual(again, { id: first, duplicate: true });
    });

    it('makes none under a key that another body was sent with, at either of two servers', async () => {
      await using place = database.place();
      await using one = await server(place);
      await using two = await server(place);
      const { id: first } = await one.service.create(newTask({ idempotencyKey: 'k' }));
      const other = newTask({ idempotencyKey: 'k', title: 'other' });
      for (const { service } of [one, two, two]) {
        await assert.rejects(
          service.create(other),
          (error) => error instanceof KeyReusedError && error.taskId === first,
        );
      }
      const both = await Promise.allSettled(
        ['x', 'y'].map((title) => one.service.create(newTask({ idempotencyKey: 'l', title }))),
      );
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      assert.equal((await openTaskIds(one.store)).length, 2);
      // As a server of before has stored it.
      await place.run('update ibex_idempotency set body_digest = null');
      await using three = await server(place);
      assert.deepEqual(await three.service.create(other), { id: first, duplicate: true });
    });
  });
}

describe('a request that comes twice', () => {
  it('is not refused for the other body of one that came at the same time', async () => {
    const [sqlite] = testDatabases;
    assert.ok(sqlite);
    await using place = sqlite.place();
    await using one = await server(place);
    const { id } = await one.service.create(newTask({ idempotencyKey: 'k' }));
    await using two = await server(place);
    const [other, again] = await Promise.allSettled([
      two.service.create(newTask({ idempotencyKey: 'k', title: 'other' })),
      two.service.create(newTask({ idempotencyKey: 'k' })),
    ]);
    assert.ok(other.status === 'rejected' && other.reason instanceof KeyReusedError);
    assert.deepEqual(again, { status: 'fulfilled', value: { id, duplicate: true } });
  });

  it('is made for the second caller where the first has left', async () => {
    const [sqlite] = testDatabases;
    assert.ok(sqlite);
    await using place = sqlite.place();
    await using one = await server(place);
    const alarm = newTask({ stdin: 'alarm' });
    const [left, stayed] = await Promise.allSettled([
      one.service.create(alarm, AbortSignal.abort()),
      one.service.create(alarm),
    ]);
    assert.ok(left.status === 'rejected' && left.reason instanceof NotWantedError);
    assert.ok(stayed.status === 'fulfilled' && !stayed.value.duplicate);
  });
});

describe('a task id', { skip: 'missing' in testMysql && testMysql.missing }, () => {
  it('that someone else has used costs nobody his task', async () => {
    await using place = mysqlPlace();
    await using one = await server(place);
    const { id } = await one.service.create(newTask());
    const theirs = [1, 2, 3].map((i) => `(${id + i}, 'theirs', 'root', 'x')`);
    await place.run(`insert into task_meta (id, title, account, script) values ${theirs.join(', ')}`);
    const created = await Promise.all([newTask(), newTask()].map((task) => one.service.create(task)));
    for (const task of created) assert.ok(task.id > id + 3);
    assert.equal((await one.store.meta(id + 1))?.title, 'theirs');
  });
});
