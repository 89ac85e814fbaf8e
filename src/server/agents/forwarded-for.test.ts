import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { TestServer } from '../testing/test-server.js';

/** As a proxy sends it that adds a line of its own below the one that its caller made up. */
const LINES = { 'x-forwarded-for': ['198.51.100.1', '203.0.113.7, 203.0.113.8'] };

async function shown(rpc: string): Promise<unknown> {
  await using server = await TestServer.start('', rpc);
  using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'), { headers: LINES });
  // Answered after the list of runs was read.
  agent.send({ t: 'heartbeat', assigns: 0, runs: 1, digest: 'x', intervalMs: 1_000 });
  agent.send({ t: 'heartbeat', assigns: 0, runs: 1, digest: 'x', intervalMs: 1_000 });
  await agent.next('list');
  const { dat } = await server.call('GET', '/hosts');
  return /"address":"([^"]*)"/.exec(JSON.stringify(dat))?.[1];
}

test('where an agent comes from is told by trusted proxies only, whatever their callers write', async () => {
  assert.equal(await shown(''), '127.0.0.1');
  assert.equal(await shown('TrustedProxies = ["10.0.0.0/8"]'), '127.0.0.1');
  assert.equal(await shown('TrustedProxies = ["127.0.0.1"]'), '203.0.113.8');
  assert.equal(await shown('TrustedProxies = ["127.0.0.1", "203.0.113.8"]'), '203.0.113.7');
});
