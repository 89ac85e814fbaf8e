import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { FirstByte } from './first-byte.js';
import { loadSocketCalls, type SocketCalls } from './socket-calls.js';

/** Far longer than a test takes. */
const NEVER_MS = 3_600_000;

let calls: SocketCalls;
let server: Server;

before(async () => {
  calls = await loadSocketCalls();
  server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(() => {
  server.close();
});

/** Both ends of a connection on which nothing has been said. */
async function silentPair(): Promise<{ readonly client: Socket; readonly accepted: Socket }> {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const client = connect({ port: address.port, host: '127.0.0.1', noDelay: true });
  client.on('error', () => undefined);
  await once(client, 'connect');
  return { client, accepted: await accepted };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    socket.on('close', () => resolve());
  });
}

test('a byte that comes late is found, and stays unread', async () => {
  using waiting = new FirstByte(calls, 10, NEVER_MS);
  const { client, accepted } = await silentPair();
  const found = new Promise<number>((resolve) => waiting.wait(accepted, resolve));
  client.write('Gx');
  assert.equal(await found, 0x47);
  assert.equal(waiting.waiting, 0);
  accepted.resume();
  const read = await new Promise<Buffer>((resolve) => accepted.once('data', resolve));
  assert.equal(read.toString(), 'Gx');
  client.destroy();
});

test('of more than may wait, the one that has been silent longest is closed', async () => {
  using waiting = new FirstByte(calls, 2, NEVER_MS);
  const pairs = [await silentPair(), await silentPair(), await silentPair()];
  const never = (): void => assert.fail('nothing was said');
  for (const { accepted } of pairs) waiting.wait(accepted, never);
  await closed(pairs[0]?.accepted ?? assert.fail());
  assert.equal(waiting.waiting, 2);
  assert.deepEqual(
    pairs.map(({ accepted }) => accepted.destroyed),
    [true, false, false],
  );
  for (const { client } of pairs) client.destroy();
});

test('a byte among thousands of silent connections is found at once, and what it came on goes on', async () => {
  const silent = 2_000;
  let peeks = 0;
  const counting: SocketCalls = { ...calls, peek: (fd) => (peeks++, calls.peek(fd)) };
  using waiting = new FirstByte(counting, silent + 1, NEVER_MS);
  const clients: Socket[] = [];
  for (let i = 0; i < silent; i++) {
    const pair = await silentPair();
    waiting.wait(pair.accepted, () => assert.fail('nothing was said'));
    clients.push(pair.client);
  }
  const { client, accepted } = await silentPair();
  const found = new Promise<number>((resolve) => waiting.wait(accepted, resolve));
  peeks = 0;
  client.write('x');
  assert.equal(await found, 0x78);
  assert.equal(peeks, 1, 'no other connection was looked at');
  assert.equal(waiting.waiting, silent);
  // The silent ones are let go of; this one is not.
  waiting[Symbol.dispose]();
  assert.equal(accepted.destroyed, false);
  for (const one of clients) one.destroy();
  client.destroy();
  accepted.destroy();
});

test('a peer that leaves without a word is forgotten', async () => {
  using waiting = new FirstByte(calls, 10, NEVER_MS);
  const { client, accepted } = await silentPair();
  waiting.wait(accepted, () => assert.fail('nothing was said'));
  client.destroy();
  await closed(accepted);
  assert.equal(waiting.waiting, 0);
});
