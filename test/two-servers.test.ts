import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openMariadb, type Database } from './chaos/database.ts';
import { waitFor } from './harness/wait-for.ts';
import { World } from './harness/world.ts';

const HOST = 'web-01';
const SILENT_MS = 3_000;

let one: World;
let two: World;
const opened: (World | Database)[] = [];

before(async () => {
  const database = await openMariadb();
  opened.push(database);
  opened.push((one = await World.openServer({ database: database.config('') })));
  opened.push((two = await World.openServer({ database: database.config('') })));
  await one.startAgent(HOST, { servers: [one, two].map(({ rpcPort }) => `127.0.0.1:${rpcPort}`) });
});
after(async () => {
  for (const part of opened.reverse()) await (part instanceof World ? part.close() : part[Symbol.asyncDispose]());
});

/** Ports of the servers that a server says the host is connected to. */
async function ports(world: World): Promise<number[]> {
  const hosts = JSON.stringify(await world.api.dat('GET', '/ibex/v1/hosts'));
  return [...hosts.matchAll(/"server":"[^"]*:(\d+)"/g)].map((match) => Number(match[1]));
}

async function bothConnected(): Promise<void> {
  for (const [world, other] of [
    [one, two],
    [two, one],
  ] as const) {
    const expected = [world.rpcPort, other.rpcPort].join();
    await waitFor(`${expected} in the list of ${world.rpcPort}`, async () => (await ports(world)).join() === expected);
  }
}

test('the agent has a session with both, each of them lists both and can push to it', async () => {
  await bothConnected();
  for (const world of [one, two]) {
    const id = await world.api.create({ script: 'echo "$IBEX_TASK_ID"', hosts: [HOST] });
    assert.deepEqual(await world.api.settled(id), { [HOST]: 'success' });
    assert.equal(await world.api.stdout(id, HOST), `${id}\n`);
    const other = world === one ? two : one;
    assert.equal(await other.api.stdout(id, HOST), `${id}\n`);
  }
  const { stdout } = await two.ibex('hosts');
  assert.match(stdout.toString(), new RegExp(`${HOST} +connected .*:${two.rpcPort} .*:${one.rpcPort}`));
});

test('one of them is killed while its script runs: the result reaches it when it is back, and nothing runs twice', async () => {
  await bothConnected();
  const [starts, gate] = [join(two.folder, 'starts'), join(two.folder, 'gate')];
  const script = `echo x >>${starts}; echo begin; while [ ! -e ${gate} ]; do sleep 0.05; done; echo end`;
  const id = await two.api.create({ script, hosts: [HOST] });
  await waitFor('it runs', async () => (await two.api.stdout(id, HOST)) === 'begin\n');
  await two.server.end('SIGKILL');
  writeFileSync(gate, '');
  const meanwhile = await one.api.create({ script: 'true', hosts: [HOST] });
  assert.deepEqual(await one.api.settled(meanwhile), { [HOST]: 'success' });
  await waitFor('the list has only one of them', async () => (await ports(one)).join() === String(one.rpcPort));
  await two.startServer();
  assert.deepEqual(await two.api.settled(id), { [HOST]: 'success' });
  assert.equal(await two.api.stdout(id, HOST), 'begin\nend\n');
  assert.equal(readFileSync(starts, 'utf8'), 'x\n');
  await bothConnected();
});

test('one of them is stopped, and accepts without a word: the agent gives it up, works for the other, and comes back', async () => {
  await bothConnected();
  const agent = one.agent(HOST);
  const lost = (): number => agent.stdout.toString().split('session lost').length;
  const lostBefore = lost();
  // The launcher has become the server, so this is the server itself.
  process.kill(two.server.pid, 'SIGSTOP');
  try {
    const began = performance.now();
    const id = await one.api.create({ script: 'true', hosts: [HOST] });
    assert.deepEqual(await one.api.settled(id), { [HOST]: 'success' });
    assert.ok(performance.now() - began < SILENT_MS, 'the other one was not waited for');
    await waitFor('the agent has given it up', () => lost() > lostBefore);
    const later = await one.api.create({ script: 'true', hosts: [HOST] });
    assert.deepEqual(await one.api.settled(later), { [HOST]: 'success' });
  } finally {
    process.kill(two.server.pid, 'SIGCONT');
  }
  await bothConnected();
  assert.equal(lost(), lostBefore + 1, 'the session with the other one has lasted');
});
