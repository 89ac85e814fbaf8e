import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { AGENT_PATH, OPENING_TIMEOUT_MS } from '../../shared/protocol/limits.js';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { TestServer } from '../testing/test-server.js';

const SLACK_MS = 6_000;
const STDIN_BYTES = 2 * 1024 * 1024 - 1;
/** Twice what the server keeps for one peer, and what two kernels' buffers take. */
const ASSIGNED_BYTES = 48 * 1024 * 1024;

async function works(server: TestServer, agent: ScriptedAgent): Promise<void> {
  const taskId = await server.createTask([agent.self.host]);
  const assigned = await agent.next('assign');
  assert.equal(assigned.taskId, taskId);
  agent.result(assigned);
  assert.equal((await agent.next('result-ack')).taskId, taskId);
}

test('connections that stop half-way through the opening are closed in time', async () => {
  await using server = await TestServer.start();
  using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'));
  const beats = setInterval(
    () => agent.send({ t: 'heartbeat', assigns: 0, runs: 0, digest: '0', intervalMs: 1_000 }),
    1_000,
  );
  const request = `GET ${AGENT_PATH} HTTP/1.1\r\nHost: x\r\n`;
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
  const upgrade = `${request}Connection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`;
  const sockets = await Promise.all(
    ['', 'G', request, upgrade].map(async (bytes): Promise<Socket> => {
      const socket = connect(server.agentPort, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
      socket.write(bytes);
      return socket;
    }),
  );
  const signal = AbortSignal.timeout(OPENING_TIMEOUT_MS + SLACK_MS);
  await Promise.all(sockets.map((socket) => once(socket, 'close', { signal })));
  clearInterval(beats);
  await works(server, agent);
});

test('an agent that does not read loses its session, and costs the others nothing', async () => {
  await using server = await TestServer.start();
  using slow = await ScriptedAgent.connect(server.agentPort, agentSelf('slow'));
  using quick = await ScriptedAgent.connect(server.agentPort, agentSelf('quick'));
  slow.stopReading();
  const isOpen = async (): Promise<boolean> => {
    const { dat } = await server.call('GET', '/hosts');
    return /"host":"slow","connected":true/.test(JSON.stringify(dat));
  };
  for (let bytes = 0; bytes < ASSIGNED_BYTES && (await isOpen()); bytes += STDIN_BYTES) {
    await server.createTask(['slow'], { stdin: `${bytes}`.padEnd(STDIN_BYTES) });
  }
  assert.equal(await isOpen(), false);
  assert.match(JSON.stringify(server.log.lines), /agent does not read, its session is closed/);
  await works(server, quick);
  slow.readOn();
  assert.ok([CloseCode.overload, 1_006].includes((await slow.closed).code));
});

test('an agent that comes and goes without an end leaves nothing behind', async () => {
  await using server = await TestServer.start();
  const self = agentSelf('web-01');
  for (let i = 0; i < 200; i++) {
    using agent = await ScriptedAgent.connect(server.agentPort, self);
    agent[Symbol.dispose]();
    await agent.closed;
  }
  using agent = await ScriptedAgent.connect(server.agentPort, self);
  await works(server, agent);
  const { dat } = await server.call('GET', '/hosts');
  assert.ok(Array.isArray(dat) && dat.length === 1);
  assert.partialDeepStrictEqual(dat, [{ connected: true, servers: [{ address: '127.0.0.1' }] }]);
});
