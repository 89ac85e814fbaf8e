import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { TestServer } from '../testing/test-server.js';
import { FaithfulAgent } from '../legacy/testing/faithful-agent.js';
import { RpcClient } from '../legacy/testing/rpc-client.js';
import { AllowedAddresses } from '../net/networks.js';

/** Resolves when the connection has ended, however it did. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined).on('close', () => resolve());
  });
}

test('both kinds of agents work on one port, and each is known by its address', async () => {
  await using server = await TestServer.start();
  using legacy = new FaithfulAgent('old', server.agentPort);
  using own = await ScriptedAgent.connect(server.agentPort, agentSelf('new'));
  await legacy.beat();
  const id = await server.createTask(['old', 'new']);
  await own.next('assign');
  await legacy.beatUntil('a start', () => legacy.runs(id));
  const { dat } = await server.call('GET', '/hosts');
  assert.ok(Array.isArray(dat));
  assert.equal(JSON.stringify(dat).match(/"session":\{"address":"127\.0\.0\.1"/g)?.length, 2);
});

test('a web browser gets a page, garbage gets nothing', async () => {
  await using server = await TestServer.start();
  const page = await fetch(`http://127.0.0.1:${server.agentPort}/`);
  assert.equal(page.status, 404);
  for (const bytes of ['\0', 'x', '\xff\xff']) {
    const socket = connect(server.agentPort, '127.0.0.1');
    socket.write(Buffer.from(bytes, 'latin1'));
    await closed(socket);
  }
  const half = connect(server.agentPort, '127.0.0.1');
  half.write(Buffer.from('9400c1', 'hex'));
  await closed(half);
});

test('a byte that comes late is waited for', async () => {
  await using server = await TestServer.start();
  const socket = connect({ port: server.agentPort, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  // No event tells that the server has looked in vain; a fifth of a second is several looks.
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.write(Buffer.from('940000ab5365727665722e50696e6791a0', 'hex'));
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  assert.equal(answer[0], 0x94);
  socket.destroy();
});

test('with Legacy = false nobody is served without a key', async () => {
  await using server = await TestServer.start('', 'Legacy = false');
  await assert.rejects(RpcClient.open(server.agentPort));
  using own = await ScriptedAgent.connect(server.agentPort, agentSelf('new'));
  assert.equal(own.self.host, 'new');
});

test('legacy agents can have a port of their own', async () => {
  await using server = await TestServer.start('', 'LegacyListen = "127.0.0.1:0"');
  using legacy = new FaithfulAgent('old', server.legacyPort);
  await legacy.beat();
  assert.equal(legacy.message, '');
});

test('loopback and private addresses are allowed, others only by name', () => {
  const usual = new AllowedAddresses([]);
  for (const address of ['127.0.0.1', '::1', '10.1.2.3', '192.168.0.9', '::ffff:172.16.1.1', 'fd00::1']) {
    assert.ok(usual.has(address), address);
  }
  for (const address of ['8.8.8.8', '172.32.0.1', '2001:db8::1', '::ffff:8.8.8.8', '', 'x']) {
    assert.ok(!usual.has(address), address);
  }
  const further = new AllowedAddresses(['8.8.0.0/16', '2001:db8::/32', '9.9.9.9']);
  assert.ok(further.has('8.8.1.1') && further.has('2001:db8::5') && further.has('9.9.9.9') && !further.has('8.9.1.1'));
  for (const wrong of ['10.0.0.0/33', '10.0.0.0/', 'x/8', '1.2.3.4/8/9', '1.2.3.4/-1']) {
    assert.throws(() => new AllowedAddresses([wrong]), /is no network/, wrong);
  }
});
