import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { test } from 'node:test';
import { readStat, signalProcess } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import { readProcessTable } from '../runs/process-identity.js';
import { temporaryAccount } from './testing/temporary-account.js';
import { until } from '../../shared/testing/until.js';
import { bench, type Bench } from './testing/executor-bench.js';

/** Living processes with a word in their environment or command line. */
function marked(word: string): number[] {
  const names = (pid: number): boolean =>
    ['cmdline', 'environ'].some((file) => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(word);
      } catch {
        return false;
      }
    });
  return readProcessTable()
    .filter(({ pid, state }) => pid !== process.pid && state !== 'Z' && names(pid))
    .map(({ pid }) => pid);
}

async function printed(b: Bench, run: string, text: string): Promise<void> {
  const spool = b.runs.file(run, RunFile.stdout);
  await until(`it has printed ${text}`, () => existsSync(spool) && readFileSync(spool, 'utf8').includes(text));
}

test('a process that hands over to a new one faster than a sweep, all of them deaf to TERM', async (t) => {
  const b = bench(t, { killGraceMs: 300 });
  const word = `rabbit-${process.pid}`;
  const run = b.start(
    // It ends by itself some time, or a failure of this test would keep the machine busy for good.
    `export W=${word} N=20000; export R='N=$((N - 1)); [ $N -gt 0 ] || exit; trap "" TERM; sh -c "$R" & exit'; ` +
      `trap "" TERM; sh -c "$R" & sh -c "$R" & echo up; sleep 300; sleep 300`,
  );
  await printed(b, run, 'up\n');
  b.kill(run);
  assert.equal((await b.finished(run)).status, 'killed');
  assert.deepEqual(marked(word), []);
});

test('a loop that forks without end, into sessions of their own too', async (t) => {
  const b = bench(t, { killGraceMs: 300 });
  const word = `forks-${process.pid}`;
  // The script's own limit of rounds keeps a failure of this test from filling the machine.
  const loop = 'i=0; while [ $i -lt 400 ]; do i=$((i + 1)); sleep 60 & setsid sleep 60 & sleep 0.01; done; wait';
  const run = b.start(`export W=${word}; trap "" TERM; echo up; ${loop}`);
  await printed(b, run, 'up\n');
  await until('there are some', () => marked(word).length > 40);
  b.kill(run);
  assert.equal((await b.finished(run)).status, 'killed');
  assert.deepEqual(marked(word), []);
});

test('a child that made itself a daemon before the kill is left alone', async (t) => {
  const b = bench(t, { killGraceMs: 300 });
  const word = `daemon-${process.pid}`;
  const run = b.start(
    `W=${word} setsid sh -c 'W=${word} setsid sleep 120 >/dev/null 2>&1 & exit' & wait $!; echo up; sleep 300`,
  );
  await printed(b, run, 'up\n');
  await until('the daemon is on its own', () =>
    marked(word).some((pid) => readStat(pid)?.session === pid && readStat(pid)?.parent === 1),
  );
  b.kill(run);
  assert.equal((await b.finished(run)).status, 'killed');
  const left = marked(word);
  assert.equal(left.length, 1);
  for (const stat of left.map((pid) => readStat(pid))) if (stat) signalProcess(stat, 'SIGKILL');
});

test('killed right after their start: none slips through', async (t) => {
  const b = bench(t, { killGraceMs: 300 });
  const word = `early-${process.pid}`;
  const runs = Array.from({ length: 30 }, () => {
    const run = b.start(`export W=${word}; sleep 300; sleep 300`);
    b.kill(run);
    return run;
  });
  for (const run of runs) assert.equal((await b.finished(run)).status, 'killed');
  assert.deepEqual(marked(word), []);
});

test('a kill after the end, and a second kill, change nothing', async (t) => {
  const b = bench(t, { killGraceMs: 300 });
  const over = b.start('exit 2');
  assert.equal((await b.finished(over)).status, 'failed');
  b.kill(over);
  const run = b.start('trap "" TERM; echo up; sleep 300; sleep 300');
  await printed(b, run, 'up\n');
  b.kill(run);
  b.kill(run);
  assert.equal((await b.finished(run)).status, 'killed');
  const outcome = (): unknown => JSON.parse(readFileSync(b.runs.file(over, RunFile.exit), 'utf8'));
  await until('it is on disk', () => existsSync(b.runs.file(over, RunFile.exit)));
  assert.equal(JSON.stringify(outcome()).includes('"failed"'), true);
});

test(
  'a timeout of 2 s under su, with children deaf to TERM: in time, output kept, nobody left',
  { skip: userInfo().uid !== 0 && 'needs root' },
  async (t) => {
    const graceMs = 1_000;
    const b = bench(t, { killGraceMs: graceMs });
    const word = `under-su-${process.pid}`;
    const run = b.start(
      `export W=${word}; trap "" TERM; (trap "" TERM; sleep 301) & setsid sleep 302 & echo so far; echo and this >&2; sleep 303; sleep 304`,
      { account: temporaryAccount(t).name, timeoutMs: 2_000 },
    );
    const end = await b.finished(run);
    assert.deepEqual([end.status, end.stdout.toString()], ['timeout', 'so far\n']);
    assert.match(end.stderr.toString(), /and this\n/);
    assert.deepEqual(marked(word), []);
  },
);
