import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureFolder } from './folder.js';

test('a folder is made with its parents, and one that is there stays', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'ibex-folder-'));
  t.after(() => rmSync(root, { recursive: true }));
  const path = join(root, 'several', 'parents', 'folder');
  ensureFolder(path, 0o700);
  writeFileSync(join(path, 'file'), '');
  ensureFolder(path, 0o755);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(statSync(join(path, 'file')).size, 0);
  assert.throws(() => ensureFolder(join(path, 'file', 'below'), 0o700), /ENOTDIR/);
});

test('where the kernel lets nobody make a folder there is an error, not an endless attempt', () => {
  for (const path of ['/proc/x', '/proc/x/y/z']) assert.throws(() => ensureFolder(path, 0o700), /ENOENT.*mkdir/);
});
