import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { DeniedError, RefusedError, StoreError, UnreadableTaskError } from '../store/store.js';
import { AUTHORIZATION, KeptLog } from '../testing/test-server.js';
import { ApiServer } from './api-server.js';
import { ClientAddress } from '../net/client-address.js';
import { BasicAuth } from './basic-auth.js';
import { HttpListener } from './http-listener.js';
import { ok } from './reply.js';
import { head, post, RawConnection } from './testing/raw-connection.js';
import type { Handler } from './request.js';

/** An API of one route, for failures that a healthy server does not show. */
async function serve(handle: Handler, requestWithinMs?: number) {
  const log = new KeptLog();
  const routes = [{ method: 'GET', path: '/it', handler: { handle, restricted: true } }] as const;
  const api = new ApiServer({
    routes,
    auth: new BasicAuth({ ibex: 'ibex' }),
    maxBodyBytes: 1024,
    accessLog: true,
    client: new ClientAddress([]),
    log,
  });
  const listener = await HttpListener.open(
    { host: '127.0.0.1', port: 0 },
    undefined,
    'test',
    {
      request: (request, response) => api.handle(request, response),
      upgrades: () => false,
      upgrade: (_request, socket) => socket.destroy(),
    },
    requestWithinMs,
  );
  const get = (signal?: AbortSignal): Promise<Response> =>
    fetch(`http://127.0.0.1:${listener.port}/it`, {
      headers: { authorization: AUTHORIZATION },
      signal: signal ?? null,
    });
  return { api, log, get, port: listener.port, [Symbol.dispose]: () => listener[Symbol.dispose]() };
}

for (const [error, status, err] of [
  [
    new StoreError('the database does not answer', { cause: new Error('its own text') }),
    503,
    'the database does not answer, try again later',
  ],
  [
    new DeniedError('the database refuses: it is read-only', { cause: new Error('its own text') }),
    503,
    'the database refuses: it is read-only, try again later',
  ],
  [new RefusedError('title: too long', { cause: new Error('its own text') }), 200, 'title: too long'],
  [new UnreadableTaskError('task 7 is odd', { cause: new Error('its own text') }), 503, 'task 7 is odd'],
] as const) {
  test(`a failure of the database is told in our words, its own text goes to the log only: ${error.message}`, async () => {
    using served = await serve(() => Promise.reject(error));
    const response = await served.get();
    assert.equal(response.status, status);
    assert.deepEqual(await response.json(), { err });
    assert.match(JSON.stringify(served.log.lines), /its own text/);
  });
}

test('any other failure is a 500 without a stack', async () => {
  using served = await serve(() => {
    throw new TypeError('x is not a function');
  });
  const response = await served.get();
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { err: 'internal error, see the server log' });
});

test('a caller that leaves is told to the handler, and an answer after that goes nowhere', async () => {
  const arrived = Promise.withResolvers<AbortSignal>();
  const answer = Promise.withResolvers<ReturnType<typeof ok>>();
  using served = await serve((request) => {
    arrived.resolve(request.closed);
    return answer.promise;
  });
  const leave = new AbortController();
  const response = served.get(leave.signal);
  const closed = await arrived.promise;
  assert.equal(closed.aborted, false);
  leave.abort();
  await assert.rejects(response);
  if (!closed.aborted) await once(closed, 'abort');
  answer.resolve(ok(1));
  await answer.promise;
  assert.equal(served.log.lines.at(-1)?.message, 'caller left');
});

test('draining answers what is in hand, refuses what comes, and ends with the last answer', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<ReturnType<typeof ok>>();
  using served = await serve(() => {
    arrived.resolve();
    return answer.promise;
  });
  const early = served.get();
  await arrived.promise;
  // Its deadline never comes: the last answer is what it waits for.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const drained = served.api.drain();
  assert.equal((await served.get()).status, 503);
  answer.resolve(ok(1));
  assert.deepEqual(await (await early).json(), { dat: 1, err: '' });
  await drained;
});

test('a request that does not arrive in time is told so; a connection without one is left alone', async () => {
  using served = await serve(() => ok(1), 300);
  using unused = await RawConnection.open(served.port);
  using slowHead = await RawConnection.open(served.port);
  slowHead.write('GET /it HTTP/1.1\r\nHost: x\r\n');
  using slowBody = await RawConnection.open(served.port);
  slowBody.write(post('x').slice(0, -1));
  for (const connection of [slowHead, slowBody]) {
    const { status, body } = await connection.answer();
    assert.deepEqual([status, body], [408, '{"err":"the request did not arrive in time"}']);
    await connection.closed;
  }
  for (let i = 0; i < 2; i++) {
    unused.write(head('GET', '/it'));
    assert.equal((await unused.answer()).status, 200);
  }
});
