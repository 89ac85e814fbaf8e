import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Makes a throw-away account with a home; only root can, and only root needs it. */
export function temporaryAccount(t: TestContext): { readonly name: string; readonly home: string } {
  const name = `ibextest${process.pid}`;
  const home = mkdtempSync(join(tmpdir(), 'ibex-home-'));
  const made = spawnSync('useradd', ['-M', '-d', home, '-s', '/bin/sh', name], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  t.after(() => {
    spawnSync('userdel', [name]);
    rmSync(home, { recursive: true });
  });
  chmodSync(home, 0o755);
  writeFileSync(join(home, '.profile'), 'export FROM_PROFILE=yes\n');
  return { name, home };
}
