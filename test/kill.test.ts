import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from '../scripts/start/processes.js';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';

systemTests(['web-01'], (check) => {
  check('kill ends a script that ignores TERM, and its children', async (world) => {
    const pids = join(world.folder, 'pids');
    const script = `trap '' TERM; sh -c 'trap "" TERM; echo $$ >>${pids}; while :; do sleep 1; done' &
echo $$ >>${pids}; setsid sleep 500 & echo $! >>${pids}; echo ready; while :; do sleep 1; done`;
    const id = await world.api.create({ script, hosts: ['web-01'], timeout: 120 });
    const recorded = await waitFor('the script', () => {
      const lines = readFileSync(pids, { encoding: 'utf8', flag: 'a+' }).trim().split('\n');
      return lines.length === 3 && lines.map(Number);
    });
    await world.api.kill(id);
    assert.deepEqual(await world.api.settled(id), { 'web-01': 'killed' });
    assert.deepEqual(
      recorded.filter((pid) => identify(pid) !== undefined),
      [],
      'still alive',
    );
    assert.equal(await world.api.stdout(id, 'web-01'), 'ready\n');
  });

  check('a script that runs too long is ended', async (world) => {
    const id = await world.api.create({ script: 'echo begun; sleep 300', hosts: ['web-01'], timeout: 1 });
    assert.deepEqual(await world.api.settled(id), { 'web-01': 'timeout' });
    assert.equal(await world.api.stdout(id, 'web-01'), 'begun\n');
  });
});
