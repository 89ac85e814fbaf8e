import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';

systemTests(['web-01', 'web-02'], (check) => {
  check('each line is shown while the script runs', async (world) => {
    const seen = join(world.folder, 'seen-');
    const script = `for i in 1 2 3 4 5; do echo $i; until [ -e ${seen}$i ]; do sleep 0.02; done; done`;
    const id = await world.api.create({ script, hosts: ['web-01'] });
    const tail = world.start('tail', String(id));
    for (let line = 1; line <= 5; line++) {
      await waitFor(`line ${line}`, () => tail.stdout.toString().endsWith(`web-01 | ${line}\n`));
      writeFileSync(`${seen}${line}`, '');
    }
    assert.equal((await tail.ended).code, 0);
  });

  check('a posted script begins as soon as a program starts', async (world) => {
    const delaysMs: number[] = [];
    const startsMs: number[] = [];
    for (let i = 0; i < 15; i++) {
      const startedMs = Date.now();
      await world.ibex('version');
      const postedMs = Date.now();
      startsMs.push(postedMs - startedMs);
      const id = await world.api.create({ script: 'date +%s%3N', hosts: ['web-01'] });
      await world.api.settled(id);
      delaysMs.push(Number(await world.api.stdout(id, 'web-01')) - postedMs);
    }
    // About 10 ms and 60 ms on an idle machine; on a busy one both take longer. A server that polls needs hundreds.
    const [delayMs, startMs] = [median(delaysMs), median(startsMs)];
    assert.ok(delayMs < 2 * startMs, `${delayMs} ms, where the start of a program takes ${startMs} ms`);
  });

  check('the API shows what a running script has written so far', async (world) => {
    const id = await world.api.create({ script: 'echo early; sleep 30; echo late', hosts: ['web-01'] });
    await waitFor('the first line', async () => (await world.api.stdout(id, 'web-01')) === 'early\n');
    assert.deepEqual(await world.api.statuses(id), { 'web-01': 'running' });
    await world.api.kill(id);
    await world.api.settled(id);
    assert.equal(await world.api.stdout(id, 'web-01'), 'early\n');
  });

  check('a viewer that comes late gets everything from the beginning', async (world) => {
    const id = await world.api.create({ script: 'echo one; echo two >&2; printf three', hosts: ['web-01'] });
    await world.api.settled(id);
    const { code, stdout, stderr } = await world.ibex('tail', String(id));
    assert.equal(stdout.toString(), 'web-01 | one\nweb-01 | three\n');
    assert.match(stderr, /^web-01 ! two$/m);
    assert.match(stderr, /^ibex: web-01: success, exit 0$/m);
    assert.equal(code, 0);
  });

  check('several hosts: lines of each, with its name; one failure makes the exit code 1', async (world) => {
    const script = world.write('two.sh', 'for i in 1 2 3; do echo $IBEX_HOST $i; done\n[ $IBEX_HOST = web-01 ]\n');
    const { code, stdout, stderr } = await world.ibex('run', '--hosts', 'web-01,web-02', script);
    assert.equal(code, 1);
    const lines = stdout.toString().trimEnd().split('\n');
    for (const host of ['web-01', 'web-02']) {
      assert.deepEqual(
        lines.filter((line) => line.startsWith(`${host} | `)),
        [1, 2, 3].map((i) => `${host} | ${host} ${i}`),
      );
    }
    assert.equal(lines.length, 6);
    assert.match(stderr, /^ibex: web-02: failed, exit 1$/m);
  });

  check('--json tells all of it to a program', async (world) => {
    const { stdout } = await world.ibex('run', '--hosts', 'web-01', '--json', '--', 'printf', 'a\\nb');
    const events = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const lines = events.filter(({ type }) => type === 'line').map(({ text, ended }) => [text, ended]);
    assert.deepEqual(lines, [
      ['a', true],
      ['b', false],
    ]);
    assert.deepEqual(events.at(-1), { type: 'end', ok: true, paused: false, counts: { success: 1 }, failed: [] });
    assert.equal(events.filter(({ type }) => type === 'status').at(-1)?.['status'], 'success');
  });

  check('Ctrl+C ends the viewer and leaves the task running', async (world) => {
    const script = world.write('long.sh', 'echo started; sleep 60\n');
    const run = world.start('run', '--hosts', 'web-01', script);
    if (run.child.stdout) await once(run.child.stdout, 'data');
    const { code, stderr } = await run.end('SIGINT');
    assert.equal(code, 130);
    const id = Number(/task (\d+) goes on/.exec(stderr)?.[1]);
    assert.deepEqual(await world.api.statuses(id), { 'web-01': 'running' });
    await world.api.kill(id);
    assert.deepEqual(await world.api.settled(id), { 'web-01': 'killed' });
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
