import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';

systemTests(['web-01'], (check) => {
  check('stderr can be opened by its name', async (world) => {
    const script = 'echo a >&2; echo x >/dev/stderr; echo b >&2';
    const id = await world.api.create({ script, hosts: ['web-01'] });
    assert.deepEqual(await world.api.settled(id), { 'web-01': 'success' });
    assert.equal(await world.api.stderr(id, 'web-01'), 'a\nx\nb\n');
  });

  for (const [signal, code] of [
    ['INT', 130],
    ['TERM', 143],
    ['HUP', 129],
    ['QUIT', 131],
    ['PIPE', 141],
  ] as const) {
    check(`a script can end itself by SIG${signal}: no signal is ignored`, async (world) => {
      const script = `kill -${signal} $$; sleep 0.1; echo survived`;
      const { stdout } = await world.ibex(
        'run',
        '--hosts',
        'web-01',
        '--title',
        'signal',
        '--json',
        '--',
        'sh',
        '-c',
        script,
      );
      const text = stdout.toString();
      assert.doesNotMatch(text, /survived/);
      assert.match(text, new RegExp(`"status":"failed".*"exitCode":${code}`));
    });
  }

  check('a process left in the background neither delays the result nor dies with it', async (world) => {
    const pidFile = join(world.folder, 'sleep.pid');
    const id = await world.api.create({ script: `sleep 300 & echo $! >${pidFile}; echo done`, hosts: ['web-01'] });
    assert.deepEqual(await world.api.settled(id), { 'web-01': 'success' });
    const pid = Number(readFileSync(pidFile, 'utf8'));
    assert.ok(pid > 1);
    // Until its shell has become that program it is still called as the shell is.
    await waitFor('it to sleep', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));
    process.kill(pid);
  });

  check('a child left behind that writes to both streams goes on unharmed', async (world) => {
    const done = join(world.folder, 'left-behind');
    const child = `for i in 1 2 3 4 5 6; do echo $i; echo $i >&2; sleep 0.3; done; echo whole >${done}`;
    const id = await world.api.create({ script: `(${child}) & echo main`, hosts: ['web-01'] });
    assert.deepEqual(await world.api.settled(id), { 'web-01': 'success' });
    await waitFor('the child', () => existsSync(done) && readFileSync(done, 'utf8') === 'whole\n');
  });

  check('a byte order mark before the first line changes nothing', async (world) => {
    const bash = await world.api.create({
      script: '\uFEFF#!/bin/bash\r\necho ${BASH_VERSION:+bash}\r\n',
      hosts: ['web-01'],
    });
    const none = await world.api.create({ script: '\uFEFFecho plain', hosts: ['web-01'] });
    for (const [id, expected] of [
      [bash, 'bash\n'],
      [none, 'plain\n'],
    ] as const) {
      assert.deepEqual(await world.api.settled(id), { 'web-01': 'success' });
      assert.equal(await world.api.stdout(id, 'web-01'), expected);
      assert.equal(await world.api.stderr(id, 'web-01'), '');
    }
  });

  check('exit codes come through', async (world) => {
    const { code, stderr } = await world.ibex('run', '--hosts', 'web-01', '--', 'sh', '-c', 'exit 42');
    assert.equal(code, 1);
    assert.match(stderr, /^ibex: web-01: failed, exit 42$/m);
  });
});
