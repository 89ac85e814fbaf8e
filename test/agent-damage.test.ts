import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { end, executors } from '../scripts/start/processes.js';
import { viewTask } from './chaos/tail-view.ts';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';
import type { World } from './harness/world.ts';

/** Stops a host's agent and executor, does something to its folder, and starts it again. */
async function whileDown(world: World, host: string, change: (metaDir: string) => void): Promise<void> {
  await world.agent(host).end('SIGKILL');
  for (const executor of executors(world.metaDir(host))) await end(executor);
  change(world.metaDir(host));
  await world.startAgent(host);
}

/** A run folder as an ended run leaves it. */
function writeRun(runs: string, name: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(runs, name));
  for (const [file, content] of Object.entries(files)) writeFileSync(join(runs, name, file), content);
}

function claim(taskId: number, more: object = {}): string {
  const run = { format: 1, cluster: '0123abcd', host: 'h', taskId, clock: 5, bootId: 'another', executor: 'dead' };
  return JSON.stringify({ ...run, claimedMs: 1, claimedMonoMs: 1, timeoutMs: 1_000, ...more });
}

async function works(world: World, host: string): Promise<void> {
  const id = await world.api.create({ script: 'echo fine', hosts: [host] });
  assert.deepEqual(await world.api.settled(id), { [host]: 'success' });
}

systemTests(['a', 'b', 'c'], (check) => {
  check('files that are not what they should be stop neither agent nor executor', async (world) => {
    await works(world, 'a');
    await whileDown(world, 'a', (metaDir) => {
      const runs = join(metaDir, 'runs');
      writeRun(runs, '0123abcd-1-5', { 'claim.json': '{"form' });
      writeRun(runs, '0123abcd-2-5', { 'claim.json': claim(2), 'exit.json': 'rubbish' });
      writeRun(runs, '0123abcd-3-5', { 'claim.json': claim(3), pid: 'rubbish', launcher: '\0', code: 'x' });
      writeRun(runs, '0123abcd-4-5', { 'claim.json': claim(4, { format: 2 }) });
      writeFileSync(join(runs, '0123abcd-5-5'), 'a file where a folder should be');
      for (const file of ['claim.json', 'stdout', 'exit.json']) {
        mkdirSync(join(runs, `0123abcd-6-${file.length}`, file), { recursive: true });
        writeFileSync(
          join(runs, `0123abcd-6-${file.length}`, file === 'claim.json' ? 'stdout' : 'claim.json'),
          claim(6),
        );
      }
      writeFileSync(join(metaDir, 'executor', 'rubbish.json'), 'rubbish');
    });
    await works(world, 'a');
    const runs = join(world.metaDir('a'), 'runs');
    assert.equal(existsSync(join(runs, '0123abcd-1-5')), true, 'its name still keeps the run from starting');
    const log = readFileSync(join(world.metaDir('a'), 'executor.log'), 'utf8');
    for (const run of ['0123abcd-1-5', '0123abcd-4-5', '0123abcd-5-5']) assert.match(log, new RegExp(run));
  });

  check('an outcome that cannot be read any more: its output can be asked for without harm', async (world) => {
    const id = await world.api.create({ script: 'echo once', hosts: ['a'] });
    await world.api.settled(id);
    await whileDown(world, 'a', (metaDir) => {
      const run = readdirSync(join(metaDir, 'runs')).find((name) => name.split('-')[1] === String(id)) ?? '';
      writeFileSync(join(metaDir, 'runs', run, 'exit.json'), '{"status":');
    });
    const view = (await viewTask(world.url, id)).get('a');
    assert.equal(view?.status, 'success');
    await works(world, 'a');
  });

  check('MetaDir deleted under a living agent: it says so, a new start makes a new one', async (world) => {
    const gate = join(world.folder, 'gate');
    const held = await world.api.create({
      script: `echo up; while [ ! -e ${gate} ]; do sleep 0.05; done`,
      hosts: ['b'],
    });
    await waitFor('its output', async () => (await world.api.stdout(held, 'b')) === 'up\n');
    const old = executors(world.metaDir('b'));
    // Out of the agent's way first: it may write while a folder is being deleted.
    renameSync(world.metaDir('b'), `${world.metaDir('b')}.gone`);
    rmSync(`${world.metaDir('b')}.gone`, { recursive: true });
    const refused = await world.api.create({ script: 'echo never', hosts: ['b'] });
    assert.deepEqual(await world.api.settled(refused), { b: 'failed' });
    assert.match(await world.api.stderr(refused, 'b'), /ibex: .*ENOENT/);
    writeFileSync(gate, '');
    assert.deepEqual(await world.api.settled(held), { b: 'success' });
    await world.agent('b').end('SIGKILL');
    for (const executor of old) await end(executor);
    await world.ibex('hosts', 'forget', 'b');
    await world.startAgent('b');
    await works(world, 'b');
  });

  check('a folder for runs that takes nothing: each run is refused in words, later ones run again', async (world) => {
    const runs = join(world.metaDir('c'), 'runs');
    // Root is not held up by permissions; a file in the folder's place is.
    spawnSync('mv', [runs, `${runs}.away`]);
    writeFileSync(runs, '');
    const id = await world.api.create({ script: 'echo never', hosts: ['c'] });
    assert.deepEqual(await world.api.settled(id), { c: 'failed' });
    assert.match(await world.api.stderr(id, 'c'), /ibex: .*(ENOTDIR|EEXIST)/);
    rmSync(runs);
    spawnSync('mv', [`${runs}.away`, runs]);
    await works(world, 'c');
  });

  check('another boot: what was running is lost or ended, in words', async (world) => {
    const scripts = ['sleep 300', 'exit 9'];
    const ids: number[] = [];
    for (const script of scripts) ids.push(await world.api.create({ script, hosts: ['c'] }));
    const [running = 0, over = 0] = ids;
    await world.api.settled(over);
    await waitFor('the start', async () => (await world.api.statuses(running))['c'] === 'running');
    await world.agent('c').end('SIGKILL');
    const [executor] = executors(world.metaDir('c'));
    assert.ok(executor);
    process.kill(executor.pid, 'SIGKILL');
    const runs = join(world.metaDir('c'), 'runs');
    const run = readdirSync(runs).find((name) => name.split('-')[1] === String(running)) ?? '';
    const launcher = Number(readFileSync(join(runs, run, 'launcher'), 'utf8').split(' ')[0]);
    const script = Number(readFileSync(join(runs, run, 'pid'), 'utf8').split(' ')[0]);
    for (const pid of [script, launcher]) if (pid > 1) process.kill(pid, 'SIGKILL');
    const path = join(runs, run, 'claim.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"bootId":"[^"]*"/, '"bootId":"another"'));
    rmSync(join(runs, run, 'code'), { force: true });
    await world.startAgent('c');
    assert.deepEqual(await world.api.settled(running), { c: 'failed' });
    assert.match(await world.api.stderr(running, 'c'), /ibex: the machine was restarted\n$/);
  });
});
