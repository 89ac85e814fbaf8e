import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../shared/log.js';
import type { ResultFrame } from '../../shared/protocol/agent-frames.js';
import { RefusedError, StoreError } from '../store/store.js';
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

const TASK: ReportedTask = {
  taskId: 1,
  clock: 5,
  status: 'success',
  stdout: Buffer.from('text'),
  stderr: Buffer.alloc(0),
};

function storage(runEnded: PulledWork['runEnded']): ResultStorage {
  const none = (): never => assert.fail('only ends are noted');
  const work = { runEnded, runDispatched: none, runLost: none };
  return new ResultStorage(new RunNotes({ host: 'a', work, log: silent, nowMs: () => nowMs }), () => nowMs);
}

let nowMs = 0;

test('a result whose output is refused is stored without it, beside another that is not held up', async () => {
  const stored: ResultFrame[] = [];
  const results = storage((_host, result) => {
    if (result.taskId === 1 && result.stdout.length > 0) return Promise.reject(new RefusedError('no'));
    stored.push(result);
    return Promise.resolve('stored');
  });
  assert.deepEqual(await results.store([TASK, { ...TASK, taskId: 2 }], new Map(), new Map()), new Set());
  const one = stored.find(({ taskId }) => taskId === 1);
  assert.deepEqual([stored.length, one?.status, one?.stdoutBytes], [2, 'success', 4]);
  assert.match(Buffer.from(one?.stderr ?? []).toString(), /^ibex: the output of this run is not stored: no\n$/);
});

test('a result that is refused even without its output stays unstored, and is tried again after a while', async () => {
  let asked = 0;
  let refuses = true;
  const results = storage(() => {
    asked++;
    return refuses ? Promise.reject(new RefusedError('no')) : Promise.resolve('stored');
  });
  const store = (): Promise<ReadonlySet<number>> => results.store([TASK], new Map(), new Map());
  assert.deepEqual(await store(), new Set([1]));
  const before = asked;
  assert.deepEqual([await store(), asked], [new Set([1]), before], 'not at each beat');
  refuses = false;
  nowMs += 60_000;
  assert.deepEqual(await store(), new Set());
});

test('while the database is away nothing is given up', async () => {
  let away = true;
  const stored: ResultFrame[] = [];
  const results = storage((_host, result) => {
    if (away) return Promise.reject(new StoreError('no'));
    stored.push(result);
    return Promise.resolve('stored');
  });
  for (let i = 0; i < 10; i++) assert.equal((await results.store([TASK], new Map(), new Map())).size, 1);
  away = false;
  assert.equal((await results.store([TASK], new Map(), new Map())).size, 0);
  assert.equal(Buffer.from(stored[0]?.stdout ?? []).toString(), 'text');
});

test('a result that is being stored is not stored once more, however often it comes', async () => {
  let asked = 0;
  const stored = Promise.withResolvers<'stored'>();
  const results = storage(() => {
    asked++;
    return stored.promise;
  });
  const answers = [1, 2, 3].map(() => results.store([TASK], new Map(), new Map()));
  stored.resolve('stored');
  assert.deepEqual(
    (await Promise.all(answers)).map(({ size }) => size),
    [0, 0, 0],
  );
  assert.equal(asked, 1);
});
