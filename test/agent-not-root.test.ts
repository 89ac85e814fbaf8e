import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endExecutors } from '../scripts/start/processes.js';
import { waitFor } from './harness/wait-for.ts';
import { World } from './harness/world.ts';

const HOST = 'unprivileged';
const ACCOUNT = 'nobody';
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** Why these tests can't be run here, if they can't. */
function obstacle(): string | false {
  if (userInfo().uid !== 0) return 'only root can start an agent as somebody else';
  const { status } = spawnSync('setpriv', [...AS_NOBODY, process.execPath, MAIN, 'version'], { stdio: 'ignore' });
  return status === 0 ? false : `${ACCOUNT} may not read this folder, or there is no setpriv`;
}

const AS_NOBODY = [`--reuid=${ACCOUNT}`, '--regid=nogroup', '--clear-groups'] as const;
const skip = obstacle();

interface Unprivileged extends AsyncDisposable {
  readonly world: World;
}

/** A server, and an agent that runs as nobody. */
async function open(): Promise<Unprivileged> {
  const world = await World.open();
  const folder = mkdtempSync(join(tmpdir(), 'ibex-nobody-'));
  chmodSync(folder, 0o755);
  const metaDir = join(folder, 'meta');
  mkdirSync(metaDir);
  const [uid, gid] = ['-u', '-g'].map((what) => Number(spawnSync('id', [what, ACCOUNT], { encoding: 'utf8' }).stdout));
  chownSync(metaDir, uid ?? 0, gid ?? 0);
  const config = join(folder, 'agentd.conf');
  const servers = `Servers = ["127.0.0.1:${world.rpcPort}"]\nHost = "${HOST}"\n`;
  writeFileSync(config, `MetaDir = "${metaDir}"\n[Heartbeat]\n${servers}`);
  const agentd = [...AS_NOBODY, process.execPath, MAIN, 'agentd', '-c', config];
  const agent = spawn('setpriv', agentd, { cwd: folder, stdio: 'ignore' });
  const ended = once(agent, 'exit');
  await waitFor('the agent', async () => (await world.api.connectedHosts()).includes(HOST));
  return {
    world,
    async [Symbol.asyncDispose]() {
      agent.kill();
      await ended;
      await endExecutors(metaDir);
      await world.close();
      rmSync(folder, { recursive: true });
    },
  };
}

let unprivileged: Unprivileged | undefined;
before(async () => {
  if (skip === false) unprivileged = await open();
});
after(async () => {
  await unprivileged?.[Symbol.asyncDispose]();
});

async function outcome(account: string): Promise<readonly string[]> {
  const { world } = unprivileged ?? assert.fail('not open');
  const task = { title: 'test', account, creator: 'test', action: 'start', script: 'id -un; echo "$HOME"' };
  const more = { batch: 0, tolerance: 0, timeout: 60, pause: '', args: '', hosts: [HOST] };
  const id = Number(await world.api.dat('POST', '/ibex/v1/tasks', { ...task, ...more }));
  const statuses = await world.api.settled(id);
  return [statuses[HOST] ?? '', await world.api.stdout(id, HOST), await world.api.stderr(id, HOST)];
}

test('its own account: runs as that', { skip }, async () => {
  const [status, stdout] = await outcome(ACCOUNT);
  assert.equal(status, 'success');
  assert.match(stdout ?? '', /^nobody\n\//);
});

test('another account: refused, in words', { skip }, async () => {
  const [status, stdout, stderr] = await outcome('root');
  assert.deepEqual([status, stdout], ['failed', '']);
  assert.match(stderr ?? '', /^ibex: .*nobody.*root/);
});
