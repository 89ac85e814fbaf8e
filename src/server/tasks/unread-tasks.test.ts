import assert from 'node:assert/strict';
import { it } from 'node:test';
import Database from 'better-sqlite3';
import { createTaskService, type TaskServiceOptions } from './create-task-service.js';
import { newTask, RecordingGateway } from './testing/fixture.js';
import { silentLog, SqlitePlace } from '../store/testing/store-place.js';
import type { Log } from '../../shared/log.js';

/** By another program. */
function write(place: SqlitePlace, statement: string): void {
  const database = new Database(place.path);
  database.prepare(statement).run([]);
  database.close();
}

it('a task that makes no sense holds back its own hosts only, and is told of once', async () => {
  await using place = new SqlitePlace();
  await using store = await place.open();
  const told: unknown[] = [];
  const log: Log = { ...silentLog, error: (fields) => told.push(fields) };
  const options: TaskServiceOptions = {
    store,
    gateway: new RecordingGateway(),
    log,
    clock: { nowMs: Date.now },
    schedulerName: 'a:1',
  };
  let broken: number;
  let sound: number;
  {
    await using service = await createTaskService(options);
    ({ id: broken } = await service.create(newTask({ hosts: ['a', 'b'], batch: 1 })));
    ({ id: sound } = await service.create(newTask({ hosts: ['b', 'c'] })));
  }
  write(place, `update task_host_${broken % 100} set status = 'sleeping' where id = ${broken} and host = 'b'`);
  await using service = await createTaskService(options);
  assert.equal(service.openRuns('a'), undefined);
  assert.deepEqual(
    service.openRuns('b')?.map(({ taskId }) => taskId),
    [sound],
  );
  assert.equal(service.openRuns('c')?.length, 1);
  await assert.rejects(service.act(broken, 'start'), /unknown status/);
  assert.equal(told.length, 1);
  write(place, `update task_host_${broken % 100} set status = 'waiting' where id = ${broken} and host = 'b'`);
  assert.deepEqual(await service.act(broken, 'start'), { outcome: 'done' });
  assert.equal(service.openRuns('a')?.length, 1);
});
