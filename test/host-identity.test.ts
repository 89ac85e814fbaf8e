import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { endExecutors } from '../scripts/start/processes.js';
import { IbexProcess } from './harness/ibex-process.ts';
import { waitFor } from './harness/wait-for.ts';
import { World } from './harness/world.ts';

const HOST = 'web-01';

let world: World;
const others: { readonly process: IbexProcess; readonly metaDir: string }[] = [];

before(async () => {
  world = await World.open(HOST);
});
after(async () => {
  for (const { process, metaDir } of others) {
    await process.end();
    await endExecutors(metaDir);
  }
  await world.close();
});

function agentd(host: string, metaDir: string): IbexProcess {
  const server = `Servers = ["127.0.0.1:${world.rpcPort}"]`;
  const config = world.write(
    `${others.length}.conf`,
    `MetaDir = "${metaDir}"\n[Heartbeat]\n${server}\nHost = "${host}"\n`,
  );
  const started = new IbexProcess(['agentd', '-c', config], { cwd: world.folder });
  others.push({ process: started, metaDir });
  return started;
}

async function listed(): Promise<string> {
  const { stdout } = await world.ibex('hosts');
  return stdout.toString();
}

async function works(): Promise<void> {
  const id = await world.api.create({ script: 'true', hosts: [HOST] });
  assert.deepEqual(await world.api.settled(id), { [HOST]: 'success' });
}

function connections(): number {
  return world.server.stdout.toString().split('agent connected').length - 1;
}

test('another machine with the same Host is refused, shown and counted, and the first one notices nothing', async () => {
  const began = connections();
  const second = agentd(HOST, join(world.folder, 'second'));
  await waitFor('it is refused', () => /the server refuses this agent.*/.test(second.stdout.toString()));
  assert.match(second.stdout.toString(), /another key is pinned for web-01.*ibex hosts forget HOST/);
  await waitFor('two refusals', async () =>
    /web-01: refused (?!1 )\d+ times, last from 127\.0\.0\.1: another key/.test(await listed()),
  );
  await works();
  assert.equal(connections(), began);
  assert.doesNotMatch(world.agent(HOST).stdout.toString(), /session lost/);
  await second.end();
});

test('a copy of a MetaDir: one of the two has the Host and the other is refused as a clone, without an end', async () => {
  const copy = join(world.folder, 'copy');
  assert.equal(spawnSync('cp', ['-a', world.metaDir(HOST), copy]).status, 0);
  rmSync(join(copy, 'executor'), { recursive: true });
  const began = connections();
  const clone = agentd(HOST, copy);
  await waitFor(
    'a clone is shown',
    async () => /refused \d+ times, last from .* copy of its MetaDir/.test(await listed()),
    30_000,
  );
  await works();
  assert.ok(connections() - began <= 1, `${connections() - began} sessions`);
  assert.match(
    `${clone.stdout.toString()}${world.agent(HOST).stdout.toString()}`,
    /another agentd uses a copy of this MetaDir/,
  );
  await clone.end();
  await waitFor('the first one is back', () => connections() - began >= 2);
  await works();
});

test('a machine that was renamed: the old name is shown as gone, the new one is there, and its results count', async () => {
  const metaDir = join(world.folder, 'renamed');
  const gate = join(world.folder, 'gate');
  const old = agentd('old-name', metaDir);
  await waitFor('the old name', async () => (await world.api.connectedHosts()).includes('old-name'));
  const script = `echo before; while [ ! -e ${gate} ]; do sleep 0.1; done; echo after`;
  const id = await world.api.create({ script, hosts: ['old-name'] });
  await waitFor('its start', async () => (await world.api.stdout(id, 'old-name')) === 'before\n');
  await old.end();
  agentd('new-name', metaDir);
  await waitFor('the new name', async () => (await world.api.connectedHosts()).includes('new-name'));
  const table = await listed();
  assert.match(table, /^old-name +gone/m);
  assert.match(table, /^new-name +connected/m);
  world.write('gate', '');
  assert.deepEqual(await world.api.settled(id), { 'old-name': 'success' });
  assert.equal(await world.api.stdout(id, 'old-name'), 'before\nafter\n');
});
