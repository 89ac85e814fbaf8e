import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';
import type { World } from './harness/world.ts';

/** A script that counts its starts, prints, and ends once the test says so. */
function gatedScript(world: World, name: string) {
  const starts = join(world.folder, `${name}-starts`);
  const gate = join(world.folder, `${name}-gate`);
  return {
    script: `echo x >>${starts}; echo before; while [ ! -e ${gate} ]; do sleep 0.05; done; echo after; exit 7`,
    open: () => writeFileSync(gate, ''),
    starts: () => readFileSync(starts, 'utf8'),
  };
}

systemTests(['web-01'], (check) => {
  for (const whenItEnds of ['while the agent is gone', 'after the agent is back'] as const) {
    check(`kill -9 of the agent's link: a script that ends ${whenItEnds} is reported once, whole`, async (world) => {
      const gated = gatedScript(world, whenItEnds.replaceAll(' ', '-'));
      const id = await world.api.create({ script: gated.script, hosts: ['web-01'] });
      await waitFor('the first line', async () => (await world.api.stdout(id, 'web-01')) === 'before\n');
      await world.agent('web-01').end('SIGKILL');
      if (whenItEnds === 'while the agent is gone') gated.open();
      await world.startAgent('web-01');
      if (whenItEnds === 'after the agent is back') gated.open();
      assert.deepEqual(await world.api.settled(id), { 'web-01': 'failed' });
      assert.equal(await world.api.stdout(id, 'web-01'), 'before\nafter\n');
      assert.equal(gated.starts(), 'x\n');
      const { stdout, stderr } = await world.ibex('tail', String(id), '--raw');
      assert.equal(stdout.toString(), 'before\nafter\n');
      assert.equal(stderr, '');
    });
  }

  check('kill -9 of the server: script, result and viewer go on', async (world) => {
    const gated = gatedScript(world, 'server');
    const id = await world.api.create({ script: gated.script, hosts: ['web-01'] });
    const tail = world.start('tail', String(id));
    if (tail.child.stdout) await once(tail.child.stdout, 'data');
    await world.server.end('SIGKILL');
    await world.startServer();
    gated.open();
    const { code, stdout, stderr } = await tail.ended;
    assert.equal(stdout.toString(), 'web-01 | before\nweb-01 | after\n');
    assert.match(stderr, /lost the connection/);
    assert.match(stderr, /web-01: failed, exit 7/);
    assert.equal(code, 1);
    assert.deepEqual(await world.api.settled(id), { 'web-01': 'failed' });
    assert.equal(gated.starts(), 'x\n');
  });

  check('a task for an agent that is away runs when it comes back', async (world) => {
    await world.agent('web-01').end();
    const id = await world.api.create({ script: 'echo at last', hosts: ['web-01'] });
    await world.startAgent('web-01');
    assert.deepEqual(await world.api.settled(id), { 'web-01': 'success' });
    assert.equal(await world.api.stdout(id, 'web-01'), 'at last\n');
  });

  check('SIGTERM ends server and agent cleanly', async (world) => {
    for (const process of [world.agent('web-01'), world.server]) {
      const { code, stderr } = await process.end('SIGTERM');
      assert.equal(code, 0, stderr);
    }
    await world.startServer();
    await world.startAgent('web-01');
  });
});
