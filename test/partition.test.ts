import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TcpProxy } from './harness/tcp-proxy.ts';
import { waitFor } from './harness/wait-for.ts';
import { World } from './harness/world.ts';

const HOST = 'web-01';
/** Either end gives up a session after so long a silence, at an interval of one second. */
const SILENT_MS = 3_000;

let world: World;
let proxy: TcpProxy;

before(async () => {
  world = await World.openServer();
  proxy = await TcpProxy.to(world.rpcPort);
  await world.startAgent(HOST, { servers: [`127.0.0.1:${proxy.port}`] });
});
after(async () => {
  await world.close();
  await proxy[Symbol.asyncDispose]();
});

async function connected(): Promise<boolean> {
  return (await world.api.connectedHosts()).includes(HOST);
}

function sessionsLost(): number {
  return world.agent(HOST).stdout.toString().split('session lost').length - 1;
}

/** A script that notes each start, waits for the test, and notes its end, where no network is needed for it. */
function gated(name: string, wait = 'while [ ! -e $GATE ]; do sleep 0.05; done') {
  const [starts, gate, end] = ['starts', 'gate', 'end'].map((what) => join(world.folder, `${name}-${what}`));
  return {
    script: `GATE=${gate}; echo x >>${starts}; echo begin; ${wait}; echo end; touch ${end}; exit 7`,
    open: () => writeFileSync(String(gate), ''),
    ended: () => waitFor('the script has ended', () => existsSync(String(end))),
    starts: () => readFileSync(String(starts), 'utf8'),
  };
}

async function run(taskId: number): Promise<object> {
  const runs = await world.api.dat('GET', `/ibex/v1/runs/${taskId}`);
  assert.ok(Array.isArray(runs) && runs.length === 1);
  const only: unknown = runs[0];
  assert.ok(typeof only === 'object' && only !== null);
  return only;
}

test('a connection that passes nothing on is given up by both ends in time', async () => {
  await waitFor('the agent', connected);
  const lost = sessionsLost();
  const since = performance.now();
  proxy.freeze();
  await Promise.all([
    waitFor('the server gives it up', async () => !(await connected())),
    waitFor('the agent gives it up', () => sessionsLost() > lost),
  ]);
  const tookMs = performance.now() - since;
  assert.ok(tookMs > SILENT_MS / 2, `${tookMs} ms: nobody has waited`);
  proxy.thaw();
  await waitFor('it is back', connected);
});

test('a partition shorter than the timeout: result and output arrive after it, once, at a viewer too', async () => {
  await waitFor('the agent', connected);
  const gate = gated('short');
  const id = await world.api.create({ script: gate.script, hosts: [HOST] });
  const viewer = world.start('tail', String(id), '--raw');
  await waitFor('its first line', () => viewer.stdout.toString() === 'begin\n');
  proxy.freeze();
  await waitFor('the server has given it up', async () => !(await connected()));
  gate.open();
  await gate.ended();
  assert.deepEqual(await world.api.statuses(id), { [HOST]: 'running' });
  proxy.thaw();
  assert.deepEqual(await world.api.settled(id), { [HOST]: 'failed' });
  assert.equal(await world.api.stdout(id, HOST), 'begin\nend\n');
  assert.partialDeepStrictEqual(await run(id), { exitCode: 7, late: false });
  assert.equal(gate.starts(), 'x\n');
  assert.equal((await viewer.ended).stdout.toString(), 'begin\nend\n');
});

test('a partition longer than the timeout: the status timeout stands, and the late output is there', async () => {
  await waitFor('the agent', connected);
  const timeout = 2;
  const gate = gated('long', 'sleep 0.5');
  const id = await world.api.create({ script: gate.script, hosts: [HOST], timeout });
  await waitFor('its first line', async () => (await world.api.stdout(id, HOST)) === 'begin\n');
  proxy.freeze();
  await gate.ended();
  assert.deepEqual(await world.api.settled(id), { [HOST]: 'timeout' });
  proxy.thaw();
  await waitFor('the late output', async () => (await world.api.stdout(id, HOST)) === 'begin\nend\n');
  assert.deepEqual(await world.api.statuses(id), { [HOST]: 'timeout' });
  assert.partialDeepStrictEqual(await run(id), { exitCode: 7, late: true });
  assert.equal(gate.starts(), 'x\n');
});
