import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launcher } from './harness/ibex-process.ts';
import { memoryBytes } from './harness/memory.ts';
import { systemTests } from './harness/system-test.ts';

const MIB = 1 << 20;
const PAUSE_MS = 1_500;

systemTests(['web-01', 'web-02'], (check) => {
  check('a reader that stops reading stops the flow: nothing piles up in viewer or server', async (world) => {
    const run = world.start('run', '--hosts', 'web-01', '--raw', '--', 'head', '-c', String(60 * MIB), '/dev/zero');
    assert.ok(run.child.stdout);
    await once(run.child.stdout, 'data');
    run.child.stdout.pause();
    const before = { viewer: memoryBytes(run.pid), server: memoryBytes(world.server.pid) };
    // There is no event for nothing happening; in this time 60 MB would arrive several times over.
    await sleep(PAUSE_MS);
    const grown = {
      viewer: memoryBytes(run.pid) - before.viewer,
      server: memoryBytes(world.server.pid) - before.server,
    };
    assert.ok(grown.viewer < 30 * MIB && grown.server < 30 * MIB, JSON.stringify(grown));
    run.child.stdout.resume();
    const { code, stdout } = await run.ended;
    assert.equal(code, 0);
    assert.equal(stdout.length, 60 * MIB);
  });

  check('a reader that leaves ends the viewer quietly', async (world) => {
    const id = await world.api.create({ script: 'seq 1 100000', hosts: ['web-01'] });
    await world.api.settled(id);
    const code = join(world.folder, 'code');
    const errors = join(world.folder, 'errors');
    const command = `{ '${launcher}' tail ${id} 2>'${errors}'; echo $? >'${code}'; } | head -n 2`;
    const shown = execFileSync('/bin/sh', ['-c', command], {
      encoding: 'utf8',
      env: { ...process.env, IBEX_URL: world.url },
    });
    assert.equal(shown, 'web-01 | 1\nweb-01 | 2\n');
    assert.equal(readFileSync(code, 'utf8'), '141\n');
    assert.doesNotMatch(readFileSync(errors, 'utf8'), /EPIPE|rror/);
  });

  check('--raw of several hosts is refused before a byte is shown', async (world) => {
    const id = await world.api.create({ script: 'echo x', hosts: ['web-01', 'web-02'] });
    const { code, stdout, stderr } = await world.ibex('tail', String(id), '--raw');
    assert.equal(code, 2);
    assert.equal(stdout.length, 0);
    assert.equal(stderr, `ibex: task ${id} has 2 hosts and --raw shows one: name it with --host\n`);
    const one = await world.ibex('tail', String(id), '--raw', '--host', 'web-02');
    assert.equal(one.stdout.toString(), 'x\n');
  });

  check('hosts: a table, JSON, and a host whose key is forgotten', async (world) => {
    const table = (await world.ibex('hosts')).stdout.toString();
    const line = (host: string): string => `${host} +connected +\\d+s +\\S+ +ibex +0 +\\S+:\\d+\\n`;
    assert.match(
      table,
      new RegExp(`^HOST +AGENT +SINCE +VERSION +KIND +RUNNING +SERVERS\\n${line('web-01')}${line('web-02')}$`),
    );
    const json: unknown = JSON.parse((await world.ibex('hosts', '--json')).stdout.toString());
    assert.ok(Array.isArray(json) && json.length === 2);
    const forgotten = await world.ibex('hosts', 'forget', 'web-02');
    assert.equal(forgotten.code, 0, forgotten.stderr);
  });
});
