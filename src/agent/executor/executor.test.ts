import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { writeAssignment } from '../runs/assignment.js';
import { monotonicMs } from '../runs/boot.js';
import { readOutcome } from '../runs/outcome.js';
import { isProcessAlive, readStat } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import { until } from '../../shared/testing/until.js';
import { recover } from './recovery.js';
import { bench, runScript } from './testing/executor-bench.js';

test('a background child neither delays the result nor dies with it, and its output is taken', async (t) => {
  const b = bench(t);
  const run = b.start(
    '(for i in 1 2 3 4 5 6 7 8; do echo $i; echo $i >&2; sleep 0.1; done; echo done >"$0.after") & echo $!',
  );
  const end = await b.finished(run);
  assert.equal(end.status, 'success');
  const pid = Number(end.stdout.toString().split('\n')[0]);
  const child = readStat(pid);
  assert.ok(child, 'the child lives on');
  const after = `${b.runs.file(run, RunFile.script)}.after`;
  await until('the child has written to both streams to its end', () => existsSync(after));
  await until('everything held for it was let go', () => b.executor.idle);
});

test('kill ends a script that ignores TERM, with its children', async (t) => {
  const b = bench(t, { killGraceMs: 300 });
  const run = b.start('trap "" TERM; (trap "" TERM; sleep 301) & setsid sleep 302 & echo up; wait; sleep 303');
  const spool = b.runs.file(run, RunFile.stdout);
  await until('it is up', () => existsSync(spool) && readFileSync(spool, 'utf8') === 'up\n');
  b.kill(run);
  const end = await b.finished(run);
  assert.deepEqual([end.status, end.stdout.toString()], ['killed', 'up\n']);
});

test('a timeout ends the script and keeps what it had printed', async (t) => {
  const end = await runScript(t, 'echo pre; sleep 60; echo post', { timeoutMs: 700 });
  assert.deepEqual([end.status, end.stdout.toString()], ['timeout', 'pre\n']);
});

test('a kill before the start leaves a tombstone: the assignment that follows finds the run over', async (t) => {
  const b = bench(t);
  b.kill('0123abcd-1-1', true);
  const run = b.start('echo ran');
  assert.equal(run, '0123abcd-1-1');
  const end = await b.finished(run);
  assert.deepEqual([end.status, end.stdout.length, end.startedMs], ['killed', 0, null]);
});

test('a claim that another executor may be writing now is given up only when there is no other', (t) => {
  const b = bench(t);
  const run = '0123abcd-9-1';
  mkdirSync(b.runs.folder(run));
  writeFileSync(b.runs.file(run, RunFile.claim), '');
  let problems = 0;
  const recoverBeside = (...others: string[]): void => recover(b.runs, b.executor, new Set(others), () => problems++);
  recoverBeside('another');
  assert.deepEqual([problems, b.executor.holds(run)], [1, false]);
  recoverBeside();
  assert.deepEqual([problems, b.executor.holds(run)], [2, true]);
});

test('asked twice to start the same run, it starts once', async (t) => {
  const b = bench(t);
  const run = b.start('echo once');
  b.executor.handle({ t: 'start', run, startBeforeMonoMs: monotonicMs() + 1_000 });
  assert.equal((await b.finished(run)).stdout.toString(), 'once\n');
  b.executor.handle({ t: 'start', run, startBeforeMonoMs: monotonicMs() + 1_000 });
  assert.deepEqual(b.executor.running, []);
});

test('beyond the limit runs wait in order; one whose moment passes is timeout, not-started', async (t) => {
  const b = bench(t, { maxRuns: 1 });
  const first = b.start('sleep 60');
  const late = b.start('echo never', { startBeforeMonoMs: monotonicMs() + 200 });
  const second = b.start('echo second');
  const end = await b.finished(late);
  assert.deepEqual([end.status, end.reason], ['timeout', 'not-started']);
  b.kill(first);
  assert.equal((await b.finished(second)).stdout.toString(), 'second\n');
});

test('no process of a finished run is left behind', async (t) => {
  const b = bench(t);
  const run = b.start('echo $PPID $$');
  const end = await b.finished(run);
  const pids = end.stdout.toString().trim().split(' ').map(Number);
  const stats = pids.map((pid) => readStat(pid));
  await until('launcher and script are gone', () => stats.every((stat) => stat === undefined || !isProcessAlive(stat)));
});

test('a redo waits until the run before it has ended', async (t) => {
  const b = bench(t);
  const first = b.start('while [ ! -e "$0.go" ]; do sleep 0.02; done; echo first >>"$0.log"');
  await b.started(first);
  const second = first.replace(/-1$/, '-2');
  const assignment = {
    cluster: '0123abcd',
    host: 'h',
    taskId: 1,
    clock: 2,
    account: 'root',
    args: [],
    timeoutMs: 60_000,
    terminal: true,
  };
  writeAssignment(b.runs, second, assignment, 'echo second', '');
  b.executor.handle({ t: 'start', run: second, startBeforeMonoMs: monotonicMs() + 60_000 });
  assert.deepEqual([b.executor.running, b.executor.waiting.map(({ run }) => run)], [[first], [second]]);
  writeFileSync(`${b.runs.file(first, RunFile.script)}.go`, '');
  assert.equal((await b.finished(second)).stdout.toString(), 'second\n');
});

test('an outcome is on disk soon after it was told, and stays there', async (t) => {
  const b = bench(t);
  const run = b.start('exit 5');
  const { stdout: _out, stderr: _err, ...outcome } = await b.finished(run);
  await until('it is on disk', () => existsSync(b.runs.file(run, RunFile.exit)));
  assert.deepEqual(readOutcome(b.runs, run), outcome);
});

test('a redo also waits for a run that an older executor holds', async (t) => {
  const b = bench(t);
  const before = '0123abcd-1-0';
  mkdirSync(b.runs.folder(before));
  b.executor.heldElsewhere(before);
  const redo = b.start('echo redo');
  const other = b.start('echo other');
  assert.equal((await b.finished(other)).stdout.toString(), 'other\n');
  assert.deepEqual(
    b.executor.waiting.map(({ run }) => run),
    [redo],
  );
  writeFileSync(b.runs.file(before, RunFile.exit), '{}');
  assert.equal((await b.finished(redo)).stdout.toString(), 'redo\n');
});

test('an executor that is told to stop also ends what ended scripts have left behind', async (t) => {
  const b = bench(t, { killGraceMs: 300 });
  const run = b.start('(trap "" TERM; sleep 300) & echo $! $PPID');
  const pids = (await b.finished(run)).stdout.toString().trim().split(' ').map(Number);
  const left = pids.map((pid) => readStat(pid));
  assert.ok(
    left.every((stat) => stat && isProcessAlive(stat)),
    'child and launcher live on',
  );
  await b.executor.stop();
  await until('both are gone', () => left.every((stat) => stat === undefined || !isProcessAlive(stat)));
});

test("a script and its stderr are nobody else's to read", async (t) => {
  const b = bench(t);
  const run = b.start('echo secret; while [ ! -e "$0.go" ]; do sleep 0.02; done');
  await b.started(run);
  for (const name of [RunFile.script, RunFile.stderrPipe, RunFile.controlPipe]) {
    assert.equal(statSync(b.runs.file(run, name)).mode & 0o077, 0, name);
  }
  writeFileSync(`${b.runs.file(run, RunFile.script)}.go`, '');
  await b.finished(run);
});
