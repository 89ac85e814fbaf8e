import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../shared/testing/until.js';
import { mysqlPlace } from '../store/testing/test-databases.js';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { onMysql, TestServer } from '../testing/test-server.js';

interface Listed {
  readonly host: string;
  readonly connected: boolean;
  readonly servers: readonly { readonly server: string }[];
}

/** Asks again until the list is as wanted: what other servers know comes within some seconds. */
async function listed(
  server: TestServer,
  wanted: (hosts: Map<string, Listed>) => boolean,
): Promise<Map<string, Listed>> {
  return await until('the list is as wanted', async () => {
    const { dat } = await server.call('GET', '/hosts');
    const hosts = new Map((dat as Listed[]).map((host) => [host.host, host])); // the shape is what this file tests
    return wanted(hosts) && hosts;
  });
}

function ports(host: Listed | undefined): number[] {
  return (host?.servers ?? []).map(({ server }) => Number(server.split(':').at(-1)));
}

test('each server lists the sessions of all, also of hosts that it has never met; a server that stops takes its own along', async () => {
  await using place = mysqlPlace();
  await using one = await TestServer.start(onMysql(place));
  const two = await TestServer.start(onMysql(place));
  const self = agentSelf('both');
  using _first = await ScriptedAgent.connect(one.agentPort, self);
  using _second = await ScriptedAgent.connect(two.agentPort, self);
  using only = await ScriptedAgent.connect(two.agentPort, agentSelf('only-two'));
  const task = await two.createTask(['only-two']);
  const { clock } = await only.next('assign');
  const hosts = await listed(
    one,
    (list) => list.get('only-two')?.connected === true && ports(list.get('both')).length > 1,
  );
  assert.deepEqual(ports(hosts.get('both')), [one.agentPort, two.agentPort]);
  assert.deepEqual(ports(hosts.get('only-two')), [two.agentPort]);
  assert.partialDeepStrictEqual(hosts.get('only-two'), { running: [{ task, clock }], version: 'test', kind: 'ibex' });
  await two[Symbol.asyncDispose]();
  const after = await listed(one, (list) => list.get('only-two')?.connected === false);
  assert.deepEqual(ports(after.get('both')), [one.agentPort]);
});

test('what an agent says that it has in hand is listed', async () => {
  await using server = await TestServer.start();
  const runs = [{ taskId: 5, clock: 1_000, state: 'running' }] as const;
  using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('web-01'), { runs });
  await listed(server, (list) => list.get('web-01')?.connected === true);
  const { dat } = await server.call('GET', '/hosts');
  assert.partialDeepStrictEqual(dat, [{ running: [{ task: 5, clock: 1_000 }], session: { runs: 1 } }]);
  agent[Symbol.dispose]();
  await listed(server, (list) => list.get('web-01')?.connected === false);
});
