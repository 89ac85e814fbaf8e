import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executors, isAlive } from '../scripts/start/processes.js';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';
import type { World } from './harness/world.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HOST = 'web-01';

/** This program under an older version's number, in a folder of its own; returns its main file. */
function oldProgram(world: World): string {
  const folder = join(world.folder, 'old');
  const main = join(folder, 'dist/main.js');
  if (existsSync(main)) return main;
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const manifest = readFileSync(join(ROOT, 'package.json'), 'utf8');
  writeFileSync(join(folder, 'package.json'), manifest.replace(/"version": "[^"]*"/, '"version": "0.0.1-old"'));
  return main;
}

/** Lets the host be served by the old version while `run` lasts, and by this one from then on. Returns the old executor. */
async function upgradeAfter(world: World, run: () => Promise<void>): Promise<{ pid: number; startTime: string }> {
  await world.agent(HOST).end('SIGKILL');
  for (const executor of executors(world.metaDir(HOST))) {
    process.kill(executor.pid, 'SIGKILL');
    await waitFor('its end', () => !isAlive(executor));
  }
  const agentd = [oldProgram(world), 'agentd', '-c', join(world.folder, `agentd-${HOST}.conf`)];
  const old = spawn(process.execPath, agentd, { cwd: world.folder, stdio: 'ignore' });
  const ended = once(old, 'exit');
  try {
    await waitFor('the old agent', async () => (await world.api.connectedHosts()).includes(HOST));
    await run();
  } finally {
    old.kill();
    await ended;
  }
  const [executor] = executors(world.metaDir(HOST)).filter(isAlive);
  assert.ok(executor);
  await world.startAgent(HOST);
  return executor;
}

systemTests([HOST], (check) => {
  check(
    'a new version takes over while an old executor runs scripts: nothing is lost, and it leaves',
    async (world) => {
      const gate = join(world.folder, 'gate');
      const gated = `echo before; while [ ! -e ${gate} ]; do sleep 0.05; done; echo after; exit 7`;
      let [ending, killed] = [0, 0];
      const oldExecutor = await upgradeAfter(world, async () => {
        ending = await world.api.create({ script: gated, hosts: [HOST] });
        killed = await world.api.create({ script: 'echo up; sleep 300', hosts: [HOST] });
        for (const id of [ending, killed])
          await waitFor('output', async () => (await world.api.stdout(id, HOST)) !== '');
      });
      await waitFor('the new executor', () => executors(world.metaDir(HOST)).length === 2);
      assert.equal(isAlive(oldExecutor), true);

      const tail = world.start('tail', String(ending), '--raw');
      await waitFor('what it had printed', () => tail.stdout.toString() === 'before\n');
      const fresh = await world.api.create({ script: 'ps -o ppid= -p $PPID', hosts: [HOST] });
      assert.deepEqual(await world.api.settled(fresh), { [HOST]: 'success' });
      assert.notEqual(Number(await world.api.stdout(fresh, HOST)), oldExecutor.pid);
      await world.api.kill(killed);
      assert.deepEqual(await world.api.settled(killed), { [HOST]: 'killed' });
      assert.equal(isAlive(oldExecutor), true);

      writeFileSync(gate, '');
      assert.deepEqual(await world.api.settled(ending), { [HOST]: 'failed' });
      assert.equal((await tail.ended).stdout.toString(), 'before\nafter\n');
      await waitFor('the old executor to leave', () => !isAlive(oldExecutor));
      assert.equal(executors(world.metaDir(HOST)).length, 1);
    },
  );

  check('an old executor that is killed leaves its scripts to the new one', async (world) => {
    const gate = join(world.folder, 'second-gate');
    const script = `echo up; echo err >&2; while [ ! -e ${gate} ]; do sleep 0.05; done; exit 3`;
    let id = 0;
    const oldExecutor = await upgradeAfter(world, async () => {
      id = await world.api.create({ script, hosts: [HOST] });
      await waitFor('output', async () => (await world.api.stdout(id, HOST)) === 'up\n');
    });
    process.kill(oldExecutor.pid, 'SIGKILL');
    await waitFor('its end', () => !isAlive(oldExecutor));
    writeFileSync(gate, '');
    assert.deepEqual(await world.api.settled(id), { [HOST]: 'failed' });
    assert.equal(await world.api.stderr(id, HOST), 'err\n');
  });
});
