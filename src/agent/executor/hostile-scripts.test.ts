import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RunFile } from '../runs/run-folder.js';
import { SPOOL_LIMIT_BYTES } from '../runs/spool-writer.js';
import { until } from '../../shared/testing/until.js';
import { bench, runScript } from './testing/executor-bench.js';

const MIB = 1 << 20;

test('a script of 64 KB, 1 MB of stdin and 100 arguments arrive whole', async (t) => {
  const filler = `# ${'x'.repeat(77)}\n`.repeat(810);
  const script = `#!/bin/sh\n${filler}cat; printf '<%s>' "$@" >&2`;
  assert.ok(script.length > 64_000);
  const stdin = 'abcdefghi\n'.repeat(104_858);
  const args = Array.from({ length: 100 }, (_, i) => `argument ${i} '"\\$ä`);
  const end = await runScript(t, script, { stdin, args });
  assert.equal(end.status, 'success');
  assert.equal(end.stdout.toString(), stdin);
  assert.equal(end.stderr.toString(), args.map((arg) => `<${arg}>`).join(''));
});

test('one that closes its streams runs to its end', async (t) => {
  const end = await runScript(t, 'echo before; exec >&- 2>&- <&-; echo lost; sleep 0.1; exit 5');
  assert.deepEqual([end.exitCode, end.stdout.toString(), end.stderr.toString()], [5, 'before\n', '']);
});

test('one that deletes its working folder and renames itself', async (t) => {
  const end = await runScript(
    t,
    'd=$(mktemp -d); cd "$d"; rmdir "$d"; mv "$0" "$0.moved"; echo on; rm "$0.moved"; echo end; exit 3',
  );
  assert.deepEqual([end.exitCode, end.stdout.toString()], [3, 'on\nend\n']);
});

test('one that deletes its run’s folder: told all the same, and its name is there again', async (t) => {
  const b = bench(t);
  const run = b.start('rm -rf "${0%/*}"; echo gone; exit 4');
  const end = await b.finished(run);
  assert.deepEqual([end.status, end.exitCode, end.stdoutBytes], ['failed', 4, 5]);
  await until('the outcome is on disk', () => existsSync(b.runs.file(run, RunFile.exit)));
  await until('it is done', () => b.executor.idle);
});

test('one that deletes its run’s folder can still be killed', async (t) => {
  const b = bench(t, { killGraceMs: 200 });
  const run = b.start('rm -rf "${0%/*}"; trap "" TERM; sleep 300; sleep 300');
  await until('the folder is gone', () => !existsSync(b.runs.folder(run)));
  b.kill(run);
  assert.equal((await b.finished(run)).status, 'killed');
});

test('umask and limits are its own', async (t) => {
  const b = bench(t);
  const run = b.start('umask 777; ulimit -f 0; ulimit -n 64; ulimit -t 1; echo out; echo err >&2; exit 6');
  const end = await b.finished(run);
  assert.deepEqual([end.exitCode, end.stdout.toString(), end.stderr.toString()], [6, 'out\n', 'err\n']);
  assert.equal((await b.finished(b.start('umask; ulimit -f'))).stdout.toString().endsWith('unlimited\n'), true);
});

test('one that asks for a password finds no terminal to ask on', async (t) => {
  const end = await runScript(t, 'printf "password: " >/dev/tty; read p </dev/tty || echo none; exit 1');
  assert.deepEqual([end.exitCode, end.stdout.toString()], [1, 'none\n']);
});

test('carriage returns at line ends, no interpreter line, and one that is not there', async (t) => {
  const b = bench(t);
  assert.equal((await b.finished(b.start('echo plain'))).stdout.toString(), 'plain\n');
  const missing = await b.finished(b.start('#!/no/such/thing -x\necho hi'));
  assert.deepEqual([missing.status, missing.exitCode], ['failed', 127]);
});

for (const stream of ['stdout', 'stderr'] as const) {
  test(`120 MB of ${stream}: memory stays flat, 80 MiB and the end are kept`, async (t) => {
    const b = bench(t);
    const redirect = stream === 'stderr' ? ' >&2' : '';
    const beforeBytes = process.memoryUsage.rss();
    let peakBytes = 0;
    const timer = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), 20);
    const run = b.start(`head -c 120000000 /dev/zero${redirect}; printf END${redirect}`);
    const end = await b.finished(run);
    clearInterval(timer);
    const total = stream === 'stdout' ? end.stdoutBytes : end.stderrBytes;
    const truncated = stream === 'stdout' ? end.stdoutTruncated : end.stderrTruncated;
    assert.deepEqual([end.status, total, truncated], ['success', 120_000_003, true]);
    assert.equal(end[stream].length, SPOOL_LIMIT_BYTES);
    const tail = readFileSync(b.runs.file(run, RunFile[`${stream}Tail`]));
    assert.equal(tail.subarray(-3).toString(), 'END');
    // The whole of it is read by finished() only afterwards.
    assert.ok(peakBytes - beforeBytes < 48 * MIB, `grew by ${(peakBytes - beforeBytes) / MIB} MiB`);
  });
}
