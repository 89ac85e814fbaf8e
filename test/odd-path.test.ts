import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../scripts/project.js';
import { endExecutors } from '../scripts/start/processes.js';
import { waitFor } from './harness/wait-for.ts';
import { World } from './harness/world.ts';

test('a checkout and a MetaDir may lie below any name', async () => {
  const world = await World.openServer();
  const folder = join(world.folder, `a b/夜莺%41#?&'"$(false)=*`);
  const metaDir = join(folder, 'meta');
  try {
    mkdirSync(folder, { recursive: true });
    for (const name of ['ibex', 'dist', 'package.json']) {
      cpSync(join(projectRoot, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
    const servers = `Servers = ["127.0.0.1:${world.rpcPort}"]`;
    const config = world.write(
      'odd.conf',
      `MetaDir = ${JSON.stringify(metaDir)}\n[Heartbeat]\n${servers}\nHost = "odd"\n`,
    );
    const agent = spawn(join(folder, 'ibex'), ['agentd', '-c', config], { cwd: '/', stdio: 'ignore' });
    const ended = once(agent, 'exit');
    try {
      await waitFor('the agent', async () => (await world.api.connectedHosts()).includes('odd'));
      const id = await world.api.create({
        script: '#!/bin/sh\necho "$0|$1"; cat; echo err >&2; exit 3',
        hosts: ['odd'],
        args: 'x y',
        stdin: '{}',
      });
      assert.deepEqual(await world.api.settled(id), { odd: 'failed' });
      const stdout = await world.api.stdout(id, 'odd');
      assert.ok(stdout.startsWith(metaDir) && stdout.endsWith('/script|x y\n{}'), stdout);
      assert.equal(await world.api.stderr(id, 'odd'), 'err\n');
    } finally {
      agent.kill();
      await ended;
      await endExecutors(metaDir);
    }
  } finally {
    await world.close();
  }
});
