import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { NotWantedError } from '../store/store.js';
import type { TaskService } from '../tasks/task-service.js';
import type { ApiRequest } from './request.js';
import { createTask } from './task-create.js';

/** Begins to create a task when told so, unless its caller has given up by then. */
let begin = Promise.resolve();
const tasks: TaskService = {
  create: async (_task, signal) => {
    await begin;
    if (signal?.aborted) throw new NotWantedError('not wanted');
    return { id: 7, duplicate: false };
  },
  act: () => Promise.reject(new Error('not asked for')),
  actOnHost: () => Promise.reject(new Error('not asked for')),
  states: () => Promise.resolve(undefined),
  onChange: () => () => undefined,
  action: () => Promise.resolve(undefined),
  onAction: () => () => undefined,
};

function request(change: Partial<ApiRequest>): ApiRequest {
  const task = { title: 't', account: 'root', script: ':', action: 'start', creator: 'c', hosts: ['a'] };
  return {
    params: {},
    query: new URLSearchParams(),
    body: JSON.stringify(task),
    headers: {},
    remote: '127.0.0.1:1',
    arrivedMs: performance.now(),
    closed: new AbortController().signal,
    ...change,
  };
}

const BUSY = { status: 503, body: '{"err":"the server is too busy, nothing was created"}' };

test('nothing is created for a caller who has left, or 2 s after the request came', async () => {
  assert.partialDeepStrictEqual(await createTask(tasks)(request({})), { status: 200, body: '{"dat":7,"err":""}' });
  assert.partialDeepStrictEqual(await createTask(tasks)(request({ closed: AbortSignal.abort() })), BUSY);
  assert.partialDeepStrictEqual(await createTask(tasks)(request({ arrivedMs: performance.now() - 2_001 })), BUSY);
});

test('nothing is created for a caller who leaves, or for whom 2 s pass, before it begins', async ({ mock }) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const caller = new AbortController();
  const turn = Promise.withResolvers<void>();
  begin = turn.promise;
  const requests = [{ closed: caller.signal }, { arrivedMs: performance.now() - 1_000 }, {}].map(request);
  const answers = requests.map(async (each) => createTask(tasks)(each));
  caller.abort();
  mock.timers.tick(1_001);
  turn.resolve();
  const [left, late, inTime] = await Promise.all(answers);
  assert.partialDeepStrictEqual(left, BUSY);
  assert.partialDeepStrictEqual(late, BUSY);
  assert.partialDeepStrictEqual(inTime, { status: 200 });
});
