import assert from 'node:assert/strict';
import { systemTests } from './harness/system-test.ts';

systemTests(['web-01'], (check) => {
  const tell = 'test -t 1 && echo terminal || echo pipe';

  check('a task says whether its script has a terminal; without a word the agent decides', async (world) => {
    const said: string[] = [];
    for (const terminal of [undefined, true, false]) {
      const id = await world.api.create({
        script: tell,
        hosts: ['web-01'],
        ...(terminal === undefined ? {} : { terminal }),
      });
      await world.api.settled(id);
      said.push(await world.api.stdout(id, 'web-01'));
    }
    assert.deepEqual(said, ['terminal\n', 'terminal\n', 'pipe\n']);
  });

  check('ibex run --no-terminal', async (world) => {
    const { code, stdout } = await world.ibex(
      'run',
      '--no-terminal',
      '--hosts',
      'web-01',
      '--raw',
      '--',
      'sh',
      '-c',
      tell,
    );
    assert.deepEqual([code, stdout.toString()], [0, 'pipe\n']);
  });
});
