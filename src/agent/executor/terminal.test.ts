import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { terminalShortage } from './terminal.js';

test('where no terminal is to be had the cause is told, with the limit to look at', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-pty-'));
  try {
    const counts = (used: number): string => {
      writeFileSync(join(folder, 'nr'), `${used}\n`);
      writeFileSync(join(folder, 'max'), '3\n');
      return terminalShortage('/dev/null', folder);
    };
    assert.match(counts(3), /^all 3 terminals of this machine are in use/);
    assert.match(counts(2), /^the processes or the memory/);
    assert.match(terminalShortage(join(folder, 'none'), folder), /none is missing; mount devpts$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
