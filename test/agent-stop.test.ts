import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executors, isAlive } from '../scripts/start/processes.js';
import { IbexProcess } from './harness/ibex-process.ts';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';
import type { World } from './harness/world.ts';

const HOST = 'web-01';

/** Command lines of the host's processes: agent, executor, launchers. */
function processesOf(world: World): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const words = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') : '';
      return words.includes(world.metaDir(HOST)) ? [words] : [];
    } catch {
      return [];
    }
  });
}

async function noneLeft(world: World): Promise<void> {
  await waitFor('the last process to leave', () => processesOf(world).length === 0);
}

systemTests([HOST], (check) => {
  check('an idle agent that is stopped leaves no process', async (world) => {
    const id = await world.api.create({ script: 'true', hosts: [HOST] });
    await world.api.settled(id);
    assert.ok(processesOf(world).length > 1, 'an executor and its launchers');
    assert.equal((await world.agent(HOST).end()).code, 0);
    await noneLeft(world);
    await world.startAgent(HOST);
  });

  check(
    'a script goes on after the stop, its executor leaves behind it, and the next agent has the result',
    async (world) => {
      const gate = join(world.folder, 'gate');
      const script = `echo up; while [ ! -e ${gate} ]; do sleep 0.05; done; echo end; exit 4`;
      const id = await world.api.create({ script, hosts: [HOST] });
      await waitFor('the script', async () => (await world.api.stdout(id, HOST)) !== '');
      await world.agent(HOST).end();
      const [executor] = executors(world.metaDir(HOST)).filter(isAlive);
      assert.ok(executor);
      writeFileSync(gate, '');
      await noneLeft(world);
      await world.startAgent(HOST);
      assert.deepEqual(await world.api.settled(id), { [HOST]: 'failed' });
      assert.equal(await world.api.stdout(id, HOST), 'up\nend\n');
    },
  );

  check('an agent that comes back finds the executor, which stays then, idle too', async (world) => {
    const gate = join(world.folder, 'second-gate');
    const id = await world.api.create({
      script: `echo up; while [ ! -e ${gate} ]; do sleep 0.05; done`,
      hosts: [HOST],
    });
    await waitFor('the script', async () => (await world.api.stdout(id, HOST)) !== '');
    await world.agent(HOST).end();
    await world.startAgent(HOST);
    const before = executors(world.metaDir(HOST)).filter(isAlive);
    writeFileSync(gate, '');
    assert.deepEqual(await world.api.settled(id), { [HOST]: 'success' });
    const next = await world.api.create({ script: 'true', hosts: [HOST] });
    assert.deepEqual(await world.api.settled(next), { [HOST]: 'success' });
    assert.deepEqual(executors(world.metaDir(HOST)).filter(isAlive), before);
    assert.equal(before.length, 1);
  });

  check('an agent whose executor cannot be started says why, and ends by a signal', async (world) => {
    await world.agent(HOST).end();
    const lock = join(world.metaDir(HOST), 'executor', 'start.lock');
    rmSync(lock);
    mkdirSync(lock);
    const agent = new IbexProcess(['agentd', '-c', join(world.folder, `agentd-${HOST}.conf`)], { cwd: world.folder });
    await waitFor('the cause', () => /"level":"error".*EISDIR.*start\.lock/.test(agent.stdout.toString()));
    assert.equal((await agent.end()).code, 0);
    await noneLeft(world);
    rmdirSync(lock);
    await world.startAgent(HOST);
  });

  check('SIGHUP ends neither server nor agent nor executor, and the log says so', async (world) => {
    const [executor] = executors(world.metaDir(HOST)).filter(isAlive);
    assert.ok(executor);
    const executorLog = join(world.metaDir(HOST), 'executor.log');
    process.kill(world.server.pid, 'SIGHUP');
    process.kill(world.agent(HOST).pid, 'SIGHUP');
    process.kill(executor.pid, 'SIGHUP');
    for (const log of [
      () => world.server.stdout.toString(),
      () => world.agent(HOST).stdout.toString(),
      () => readFileSync(executorLog, 'utf8'),
    ])
      await waitFor('a word of SIGHUP', () => log().includes('SIGHUP'));
    const id = await world.api.create({ script: 'true', hosts: [HOST] });
    assert.deepEqual(await world.api.settled(id), { [HOST]: 'success' });
    assert.ok(isAlive(executor));
  });

  check('an agent that was started at a terminal goes on when that closes', async (world) => {
    await world.agent(HOST).end();
    const config = join(world.folder, `agentd-${HOST}.conf`);
    const up = join(world.folder, 'terminal-agent');
    const terminal = `./ibex agentd -c ${config} & echo $! $$ >${up}; exec sleep 300`;
    const child = spawn('script', ['-qefc', terminal, '/dev/null'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    await waitFor('the agent', async () => (await world.api.connectedHosts()).includes(HOST));
    const [pid = 0, shell = 0] = readFileSync(up, 'utf8').split(' ').map(Number);
    assert.ok(pid > 1 && existsSync(`/proc/${shell}`));
    // The terminal goes with script(1), and SIGHUP to all that ran on it.
    child.kill('SIGKILL');
    await waitFor('its session to end', () => !existsSync(`/proc/${shell}`));
    const id = await world.api.create({ script: 'true', hosts: [HOST] });
    assert.deepEqual(await world.api.settled(id), { [HOST]: 'success' });
    process.kill(pid, 'SIGTERM');
    await noneLeft(world);
    await world.startAgent(HOST);
  });
});
