import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executors, isAlive, type ProcessId } from '../scripts/start/processes.js';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';
import type { World } from './harness/world.ts';

const HOST = 'web-01';

function living(world: World): ProcessId[] {
  return executors(world.metaDir(HOST)).filter(isAlive);
}

async function restart(world: World, settings: Parameters<World['startAgent']>[1]): Promise<void> {
  await world.agent(HOST).end();
  await world.startAgent(HOST, settings);
}

async function stdoutOf(world: World, script: string): Promise<string> {
  const id = await world.api.create({ script, hosts: [HOST] });
  assert.deepEqual(await world.api.settled(id), { [HOST]: 'success' });
  return await world.api.stdout(id, HOST);
}

systemTests([HOST], (check) => {
  check('new settings and a new environment hold for the next script; one that runs keeps its own', async (world) => {
    await restart(world, { policy: 'MaxRuns = 1', before: 'export PROXY=old; umask 22' });
    const gate = join(world.folder, 'gate');
    const tell = 'echo $PROXY $(umask)';
    const running = await world.api.create({
      script: `${tell}; while [ ! -e ${gate} ]; do sleep 0.05; done; ${tell}`,
      hosts: [HOST],
    });
    await waitFor('the script', async () => (await world.api.stdout(running, HOST)) !== '');
    const waiting = await world.api.create({ script: tell, hosts: [HOST] });
    const [before] = living(world);
    assert.ok(before);
    await restart(world, { policy: 'MaxRuns = 20', before: 'export PROXY=new; umask 77' });
    // It has waited for its place under the old executor, and gets one under the new.
    assert.deepEqual(await world.api.settled(waiting), { [HOST]: 'success' });
    assert.equal(await world.api.stdout(waiting, HOST), 'new 0077\n');
    assert.equal(isAlive(before), true);
    writeFileSync(gate, '');
    assert.deepEqual(await world.api.settled(running), { [HOST]: 'success' });
    assert.equal(await world.api.stdout(running, HOST), 'old 0022\nold 0022\n');
    await waitFor('the old executor to leave', () => !isAlive(before));
    assert.equal(living(world).length, 1);
  });

  check('a run that waits is started, though first its agent is killed and then its executor', async (world) => {
    const settings = { policy: 'MaxRuns = 1' };
    await restart(world, settings);
    const gate = join(world.folder, 'gate-of-killed');
    const running = await world.api.create({
      script: `echo up; while [ ! -e ${gate} ]; do sleep 0.05; done`,
      hosts: [HOST],
    });
    await waitFor('the script', async () => (await world.api.stdout(running, HOST)) !== '');
    const waiting = await world.api.create({ script: 'echo at last', hosts: [HOST] });
    const assignment = join(world.metaDir(HOST), 'runs');
    await waitFor('its assignment', () =>
      readdirSync(assignment).some(
        (run) => run.includes(`-${waiting}-`) && existsSync(join(assignment, run, 'assignment.json')),
      ),
    );
    await world.agent(HOST).end('SIGKILL');
    await world.startAgent(HOST, settings);
    const [before] = living(world);
    assert.ok(before);
    process.kill(before.pid, 'SIGKILL');
    await waitFor('another executor', () => living(world).some(({ pid }) => pid !== before.pid));
    writeFileSync(gate, '');
    assert.deepEqual(await world.api.settled(running), { [HOST]: 'success' });
    assert.deepEqual(await world.api.settled(waiting), { [HOST]: 'success' });
    assert.equal(await world.api.stdout(waiting, HOST), 'at last\n');
  });

  check('the executor stays where nothing has changed but what each start changes', async (world) => {
    const sameFor = async (before: string): Promise<ProcessId | undefined> => {
      await world.agent(HOST).end('SIGKILL');
      await world.startAgent(HOST, { before });
      return living(world)[0];
    };
    const first = await sameFor('export INVOCATION_ID=1 SSH_TTY=/dev/pts/1 SHLVL=1; cd /');
    const second = await sameFor('export INVOCATION_ID=2 SSH_TTY=/dev/pts/2 SHLVL=7; cd /tmp');
    assert.ok(first);
    assert.deepEqual(second, first);
    assert.equal(await stdoutOf(world, 'echo "$INVOCATION_ID$SSH_TTY"'), '\n');
  });

  check(
    'scripts get the limit of open files that the agent was given, not the raised one of its runtime',
    async (world) => {
      const soft = 'ulimit -Sn; ulimit -Hn';
      await restart(world, { before: 'ulimit -Sn 1024; ulimit -Hn 8192' });
      assert.equal(await stdoutOf(world, soft), '1024\n8192\n');
      // More than the launchers that wait.
      const ids = await Promise.all(Array.from({ length: 8 }, () => world.api.create({ script: soft, hosts: [HOST] })));
      for (const id of ids) {
        await world.api.settled(id);
        assert.equal(await world.api.stdout(id, HOST), '1024\n8192\n');
      }
      await restart(world, { before: 'ulimit -Sn 2048' });
      assert.match(await stdoutOf(world, soft), /^2048\n/);
    },
  );
});
