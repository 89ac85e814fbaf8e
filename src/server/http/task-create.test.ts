import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { NotWantedError } from '../store/store.js';
import type { TaskService } from '../tasks/task-service.js';
import type { ApiRequest } from './request.js';
import { createTask } from './task-create.js';

/** Creates whatever is still wanted. */
const tasks: TaskService = {
  create: (_task, wanted = () => true) =>
    wanted() ? Promise.resolve({ id: 7, duplicate: false }) : Promise.reject(new NotWantedError('not wanted')),
  act: () => Promise.reject(new Error('not asked for')),
  actOnHost: () => Promise.reject(new Error('not asked for')),
  states: () => Promise.resolve(undefined),
  onChange: () => () => undefined,
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
    callerLeft: () => false,
    ...change,
  };
}

test('nothing is created for a caller who has left, or 2 s after the request came', async () => {
  const busy = { status: 503, body: '{"err":"the server is too busy, nothing was created"}' };
  assert.partialDeepStrictEqual(await createTask(tasks)(request({})), { status: 200, body: '{"dat":7,"err":""}' });
  assert.partialDeepStrictEqual(await createTask(tasks)(request({ callerLeft: () => true })), busy);
  assert.partialDeepStrictEqual(await createTask(tasks)(request({ arrivedMs: performance.now() - 2_001 })), busy);
});
