import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { UserError } from '../shared/errors.js';
import { MetaDir } from './meta-dir.js';

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-meta-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'meta');
}

test('a MetaDir is one agentd’s at a time, and the second is told whose', (t) => {
  const path = newFolder(t);
  const first = MetaDir.open(path);
  assert.throws(
    () => MetaDir.open(path),
    (error) =>
      error instanceof UserError && error.message.includes(`${path} is in use by another ibex agentd (process`),
  );
  const { storeId, identity } = first;
  first[Symbol.dispose]();
  using second = MetaDir.open(path);
  assert.deepEqual([second.storeId, second.identity.publicKey], [storeId, identity.publicKey]);
});

test('nobody else may open the lock, and it does not outlive a process that was killed', async (t) => {
  const path = newFolder(t);
  const module = new URL('meta-dir.js', import.meta.url).href;
  const program = `const { MetaDir } = await import('${module}'); MetaDir.open('${path}'); console.log('held'); setInterval(() => {}, 1e6)`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  assert.throws(() => MetaDir.open(path), new RegExp(`process ${child.pid}\\)`));
  assert.equal(statSync(join(path, 'agentd.lock')).mode & 0o777, 0o600);
  child.kill('SIGKILL');
  await ended;
  MetaDir.open(path)[Symbol.dispose]();
});

test('a MetaDir that cannot be is refused with the reason, and keeps nobody waiting', (t) => {
  const path = newFolder(t);
  writeFileSync(path, '');
  const refused: Readonly<Record<string, RegExp>> = {
    [path]: /cannot be used: ENOTDIR/,
    [join(path, 'below')]: /cannot be used: ENOTDIR/,
    '/proc/x': /^MetaDir \/proc\/x cannot be used: ENOENT.*mkdir '\/proc\/x'/,
    '/proc/x/y': /cannot be used: ENOENT/,
    [`${path}-a\nb/meta`]: /^MetaDir "[^\n]*" has a line end in its path$/,
  };
  for (const [setting, wanted] of Object.entries(refused)) {
    assert.throws(
      () => MetaDir.open(setting),
      (error) => error instanceof UserError && wanted.test(error.message),
      setting,
    );
  }
  using meta = MetaDir.open(join(`${path}-several`, 'parents', 'meta'));
  assert.equal(statSync(meta.path).mode & 0o777, 0o711);
  rmSync(`${path}-several`, { recursive: true });
});
