import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { ClientSocket } from './client-socket.js';

const ignored = { onText: () => undefined, onBinary: () => undefined };

test('closing tells the other end why, whatever the words are, and is over at once', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const told = new Promise((resolve) => {
    server.on('connection', (socket) => socket.on('close', (code, reason) => resolve([code, reason.toString()])));
  });
  const why = '夜莺'.repeat(100);
  const ended = await new Promise((resolve) => {
    const client = new ClientSocket(new URL(`ws://127.0.0.1:${address.port}`), {
      ...ignored,
      onOpen: () => client.close(4_400, why),
      onEnded: (code, reason) => resolve([code, reason]),
    });
  });
  assert.deepEqual(ended, [4_400, why]);
  assert.deepEqual(await told, [4_400, `${'夜莺'.repeat(19)}夜...`]);
  server.close();
});

test('what keeps it from connecting is told in words', async () => {
  const ended = await new Promise((resolve) => {
    const client = new ClientSocket(new URL('ws://127.0.0.1:1'), {
      ...ignored,
      onOpen: () => client.close(1_000, ''),
      onEnded: (code, reason) => resolve([code, reason]),
    });
  });
  assert.deepEqual(ended, [0, 'connect ECONNREFUSED 127.0.0.1:1']);
});

test('an address where HTTP is served, as the port of the API, is told with the remedy', async (t) => {
  const server = createServer((_request, response) => response.writeHead(401).end());
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const ended = await new Promise((resolve) => {
    const client = new ClientSocket(new URL(`ws://127.0.0.1:${address.port}`), {
      ...ignored,
      onOpen: () => client.close(1_000, ''),
      onEnded: (code, reason) => resolve(`${code} ${reason}`),
    });
  });
  assert.match(String(ended), /^0 HTTP 401 is answered there: .*\[RPC\] Listen \(20090\), not the API's \(10090\)$/);
});
