import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';

systemTests(['web-01'], (check) => {
  check('a new database whose ids start over: nothing of the first one is taken for its own', async (world) => {
    const database = join(world.folder, 'ibex.db');
    const [journal, gate] = [join(world.folder, 'journal'), join(world.folder, 'gate')];
    const lines = (): string[] => readFileSync(journal, 'utf8').trim().split('\n');
    writeFileSync(journal, '');
    const done = await world.api.create({ script: 'echo first done', hosts: ['web-01'] });
    await world.api.settled(done);
    const script = (name: string): string =>
      `echo ${name} >>${journal}; echo ${name} begun; while [ ! -e ${gate} ]; do sleep 0.1; done; echo ${name} ended`;
    const open = await world.api.create({ script: script('first'), hosts: ['web-01'] });
    await waitFor('the first start', () => lines().includes('first'));

    await world.server.end('SIGKILL');
    // Kept, to come back to it.
    for (const file of ['', '-wal', '-shm']) renameSync(`${database}${file}`, `${database}.first${file}`);
    await world.startServer();
    await waitFor('the agent', async () => (await world.api.connectedHosts()).includes('web-01'));
    assert.equal(await world.api.create({ script: 'echo second done', hosts: ['web-01'] }), done);
    assert.deepEqual(await world.api.settled(done), { 'web-01': 'success' });
    assert.equal(await world.api.stdout(done, 'web-01'), 'second done\n');
    assert.equal(await world.api.create({ script: script('second'), hosts: ['web-01'] }), open);
    await waitFor('the second start, while the first script runs', () => lines().includes('second'));
    writeFileSync(gate, '');
    assert.deepEqual(await world.api.settled(open), { 'web-01': 'success' });
    assert.equal(await world.api.stdout(open, 'web-01'), 'second begun\nsecond ended\n');

    await world.server.end('SIGKILL');
    for (const file of ['', '-wal', '-shm']) {
      rmSync(`${database}${file}`, { force: true });
      renameSync(`${database}.first${file}`, `${database}${file}`);
    }
    await world.startServer();
    assert.deepEqual(await world.api.settled(open), { 'web-01': 'success' });
    assert.equal(await world.api.stdout(open, 'web-01'), 'first begun\nfirst ended\n');
    assert.deepEqual(lines(), ['first', 'second']);
  });
});
