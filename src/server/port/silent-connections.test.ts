import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { TestServer } from '../testing/test-server.js';
import { RpcClient } from '../legacy/testing/rpc-client.js';

const SILENT = 3_000;

test('agents of both kinds are served at once beside thousands of connections that say nothing', async () => {
  await using server = await TestServer.start();
  const silent: Socket[] = [];
  for (let i = 0; i < SILENT; i++) {
    const socket = connect(server.agentPort, '127.0.0.1');
    socket.on('error', () => undefined);
    silent.push(socket);
    if (i % 100 === 0) await once(socket, 'connect');
  }
  using own = await ScriptedAgent.connect(server.agentPort, agentSelf('new'));
  using legacy = await RpcClient.open(server.agentPort);
  await legacy.call('Server.Report', { Ident: 'old', ReportTasks: [] });
  assert.equal(silent.at(-1)?.closed, false, 'they did not wait for the silent ones to go');
  assert.equal(own.self.host, 'new');
  for (const socket of silent) socket.destroy();
});
