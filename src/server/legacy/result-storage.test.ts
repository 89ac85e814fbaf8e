import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../shared/log.js';
import type { ResultFrame } from '../../shared/protocol/agent-frames.js';
import { StoreError } from '../store/store.js';
import type { PulledWork } from '../tasks/agent-gateway.js';
import { ResultStorage } from './result-storage.js';
import type { ReportedTask } from './rpc-codec.js';
import { RunNotes } from './run-notes.js';

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

function storageBy(runEnded: PulledWork['runEnded']): ResultStorage {
  const none = (): never => assert.fail('only ends are noted');
  const work = { runEnded, runDispatched: none, runLost: none };
  return new ResultStorage(new RunNotes({ host: 'a', work, log: silent, nowMs: () => 0 }), () => 0);
}

const TASK: ReportedTask = {
  taskId: 1,
  clock: 5,
  status: 'success',
  stdout: Buffer.from('text'),
  stderr: Buffer.alloc(0),
};

test('a failure asks for the result again; a text that never can be stored is left out in the end', async () => {
  const stored: ResultFrame[] = [];
  const runEnded = (_host: string, result: ResultFrame): Promise<'stored'> => {
    if (result.stdout.length > 0) return Promise.reject(new StoreError('no'));
    stored.push(result);
    return Promise.resolve('stored');
  };
  const storage = storageBy(runEnded);
  for (let i = 0; i < 3; i++) assert.match((await storage.store([TASK], new Map(), new Map())) ?? '', /again/);
  assert.equal(await storage.store([TASK], new Map(), new Map()), undefined);
  assert.deepEqual([stored.length, stored[0]?.status], [1, 'success']);
  assert.match(Buffer.from(stored[0]?.stderr ?? []).toString(), /could not be stored/);
});

test('while the database is away nothing is given up', async () => {
  let away = true;
  const stored: ResultFrame[] = [];
  const runEnded = (_host: string, result: ResultFrame): Promise<'stored'> => {
    if (away) return Promise.reject(new StoreError('no'));
    stored.push(result);
    return Promise.resolve('stored');
  };
  const storage = storageBy(runEnded);
  for (let i = 0; i < 10; i++) assert.ok(await storage.store([TASK], new Map(), new Map()));
  away = false;
  assert.equal(await storage.store([TASK], new Map(), new Map()), undefined);
  assert.equal(Buffer.from(stored[0]?.stdout ?? []).toString(), 'text');
});

test('a result that is being stored is not stored once more, however often it comes', async () => {
  let asked = 0;
  const stored = Promise.withResolvers<'stored'>();
  const runEnded = (): Promise<'stored'> => {
    asked++;
    return stored.promise;
  };
  const storage = storageBy(runEnded);
  const answers = [1, 2, 3].map(() => storage.store([TASK], new Map(), new Map()));
  stored.resolve('stored');
  assert.deepEqual(await Promise.all(answers), [undefined, undefined, undefined]);
  assert.equal(asked, 1);
});
