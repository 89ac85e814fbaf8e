import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readOutcome, writeOutcome } from './outcome.js';
import { cutOutput, measureRun, planRetention, stripRun, type EndedRun, type RetentionLimits } from './retention.js';
import { RunFile, RunsFolder } from './run-folder.js';
import { readStreamEnd } from './spool-reader.js';

const LIMITS: RetentionLimits = {
  outputMs: 100,
  outputBytes: 1_000,
  claimMs: 1_000,
  undeliveredMs: 1_000,
  undeliveredBytes: 1_000,
};
const NOW = 10_000;

function ended(run: string, ageMs: number, bytes: number, acknowledged = true): EndedRun {
  return { run, endedMs: NOW - ageMs, bytes, acknowledged };
}

function plan(...runs: EndedRun[]): ReturnType<typeof planRetention> {
  return planRetention(runs, NOW, LIMITS);
}

test('young and small runs stay as they are', () => {
  assert.deepEqual(plan(ended('a', 50, 400), ended('b', 99, 600)), { remove: [], strip: [], cut: [] });
});

test('output goes by age, and by size the oldest first; claims stay', () => {
  assert.deepEqual(plan(ended('a', 101, 1)).strip, ['a']);
  assert.deepEqual(plan(ended('old', 90, 500), ended('new', 10, 600)).strip, ['old']);
  assert.deepEqual(plan(ended('stripped', 500, 0)), { remove: [], strip: [], cut: [] });
});

test('a claim goes only after its own time', () => {
  assert.deepEqual(plan(ended('a', 1_000, 0)).remove, []);
  assert.deepEqual(plan(ended('a', 1_001, 5)), { remove: ['a'], strip: [], cut: [] });
});

test('what no server has stored is cut, never removed', () => {
  assert.deepEqual(plan(ended('a', 5_000, 10, false)), { remove: [], strip: [], cut: ['a'] });
  assert.deepEqual(plan(ended('a', 50, 700, false), ended('b', 20, 700, false)).cut, ['a']);
});

test('on disk: measured, cut to the end of its streams, stripped to a tombstone', (t) => {
  const metaDir = mkdtempSync(join(tmpdir(), 'ibex-retention-'));
  t.after(() => rmSync(metaDir, { recursive: true }));
  const runs = new RunsFolder(metaDir);
  const run = '0123abcd-1-1';
  mkdirSync(runs.folder(run), { recursive: true });
  assert.equal(measureRun(runs, run), undefined);
  const long = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
  writeFileSync(runs.file(run, RunFile.claim), '{}');
  writeFileSync(runs.file(run, RunFile.script), 'x'.repeat(10));
  writeFileSync(runs.file(run, RunFile.stdout), long);
  writeFileSync(runs.file(run, RunFile.stderr), 'short');
  const lengths = { stdoutBytes: 100_000, stderrBytes: 5, stdoutTruncated: false, stderrTruncated: false };
  const rest = { taskId: 1, clock: 1, exitCode: 0, signal: null, reason: null, startedMs: 1, endedMs: 2 };
  writeOutcome(runs, run, { status: 'success', ...rest, ...lengths });
  assert.equal(measureRun(runs, run)?.bytes, 100_015);
  cutOutput(runs, run);
  const outcome = readOutcome(runs, run);
  assert.deepEqual([outcome?.stdoutTruncated, outcome?.stderrTruncated], [true, false]);
  assert.deepEqual(readStreamEnd(runs.file(run, RunFile.stdout), 100_000, 65_535), long.subarray(100_000 - 65_535));
  assert.equal(readStreamEnd(runs.file(run, RunFile.stderr), 5, 65_535).toString(), 'short');
  assert.equal(existsSync(runs.file(run, RunFile.script)), false);
  stripRun(runs, run);
  assert.deepEqual(readdirSync(runs.folder(run)).sort(), ['claim.json', 'exit.json']);
});
