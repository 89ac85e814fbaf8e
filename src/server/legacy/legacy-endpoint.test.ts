import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { KeptLog } from '../testing/test-server.js';
import type { Listener } from '../net/uws.js';
import { AllowedAddresses } from '../net/networks.js';
import { listenTcp } from '../port/tcp-listener.js';
import { LegacyEndpoint } from './legacy-endpoint.js';
import { RpcClient } from './testing/rpc-client.js';

/** No test can come from a public address, so here loopback is none of those that are let in. */
class OnlyNamed extends AllowedAddresses {
  override has(address: string): boolean {
    return !address.startsWith('127.') && super.has(address);
  }
}

/** A port of its own. */
async function served(endpoint: LegacyEndpoint): Promise<Listener> {
  const address = { host: '127.0.0.1', port: 0 };
  return await listenTcp(address, 'RPC.LegacyListen', (socket) => endpoint.accept(socket));
}

const desk = {
  report: () => Promise.resolve({ assign: [] }),
  meta: () => Promise.resolve({ message: 'none' }),
  closed: () => undefined,
};

test('an agent from an address that is not let in is turned away, and the log says so once', async () => {
  const log = new KeptLog();
  using endpoint = new LegacyEndpoint(desk, new OnlyNamed([]), log);
  using listener = await served(endpoint);
  for (let i = 0; i < 3; i++) await assert.rejects(RpcClient.open(listener.port), /closed the connection/);
  assert.deepEqual(
    log.lines.map(({ fields }) => fields),
    [{ address: '127.0.0.1', remedy: 'name its network in [RPC] LegacyAllow, or run ibex agentd there' }],
  );
});

test('when it stops, its agents are sent away and no more are taken', async () => {
  const endpoint = new LegacyEndpoint(desk, new AllowedAddresses([]), new KeptLog());
  using listener = await served(endpoint);
  using client = await RpcClient.open(listener.port);
  const gone = once(client.socket, 'close');
  endpoint[Symbol.dispose]();
  await gone;
  await assert.rejects(RpcClient.open(listener.port), /closed the connection/);
});
