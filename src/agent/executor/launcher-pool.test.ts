import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isProcessAlive, signalProcess } from '../runs/process-identity.js';
import { until } from '../../shared/testing/until.js';
import { bench, type Bench } from './testing/executor-bench.js';
import { launchersOf, type WaitingLauncher } from './testing/waiting-launchers.js';

const TELL_LAUNCHER = 'echo $PPID';

/** An executor whose launchers wait. */
async function warmBench(t: TestContext): Promise<Bench & { readonly waiting: readonly WaitingLauncher[] }> {
  const b = bench(t);
  await b.executor.warmUp();
  const waiting = launchersOf(b.runs);
  assert.deepEqual([waiting.length, waiting.every(({ starter }) => starter)], [3, true]);
  return { ...b, waiting };
}

function waitingNow(b: Bench): number {
  return launchersOf(b.runs).filter(({ starter }) => starter).length;
}

function pids(waiting: readonly WaitingLauncher[]): number[] {
  return waiting.map(({ launcher }) => launcher.pid);
}

async function allGone(waiting: readonly WaitingLauncher[]): Promise<void> {
  const all = waiting.flatMap(({ launcher, starter }) => (starter ? [launcher, starter] : [launcher]));
  await until('they are gone', () => all.every((process) => !isProcessAlive(process)));
}

test('a launcher that waited starts the script, and another takes its place', async (t) => {
  const b = await warmBench(t);
  const end = await b.finished(b.start(TELL_LAUNCHER));
  const used = Number(end.stdout.toString());
  assert.ok(pids(b.waiting).includes(used));
  await until('it has left', () => !launchersOf(b.runs).some(({ launcher }) => launcher.pid === used));
  await until('others wait', () => waitingNow(b) === 3);
});

test('a waiting launcher starts a script with its words, variables and bytes as they are', async (t) => {
  const b = await warmBench(t);
  const args = [
    'a b',
    '$HOME',
    "it's",
    '`id`',
    '*',
    '',
    '-n',
    '--',
    '=',
    '+',
    'x\ny',
    '\n',
    '\n\n=z\n',
    '\u0081Á\u{1f525}',
    '\\',
  ];
  const script =
    '#!/bin/sh\nprintf "%s\\r\\n" "$IBEX_HOST $IBEX_TASK_ID $PWD"; for a; do printf "[%s]" "$a"; done; cat; set | grep -c ^ibex_';
  const end = await b.finished(b.start(script, { args, stdin: '\r\n\0x' }));
  const { HOME: home = '' } = process.env;
  const words = args.map((arg) => `[${arg}]`).join('');
  assert.equal(end.stdout.toString(), `h 1 ${home}\r\n${words}\r\n\0x0\n`);
});

test('many at once, beyond those that wait: each has a launcher of its own', async (t) => {
  const b = await warmBench(t);
  const runs = Array.from({ length: 12 }, () => b.start(TELL_LAUNCHER));
  const ends = await Promise.all(runs.map((run) => b.finished(run)));
  const used = ends.map(({ stdout }) => Number(stdout.toString()));
  assert.equal(new Set(used).size, 12);
  for (const pid of pids(b.waiting)) assert.ok(used.includes(pid));
});

for (const victim of ['launcher', 'starter'] as const) {
  test(`one whose ${victim} is killed while it waits leaves as a whole and is not used`, async (t) => {
    const b = await warmBench(t);
    for (const waiting of b.waiting) {
      const process = waiting[victim];
      assert.ok(process && signalProcess(process, 'SIGKILL'));
    }
    await allGone(b.waiting);
    await until('their pipes are gone', () => readdirSync(join(b.runs.path, '.launchers')).length === 0);
    const end = await b.finished(b.start(TELL_LAUNCHER));
    assert.equal(end.status, 'success');
    assert.equal(pids(b.waiting).includes(Number(end.stdout.toString())), false);
    await until('others wait', () => waitingNow(b) === 3);
  });
}

test('one that ignores what a hang-up, TERM and INT ask for still waits', async (t) => {
  const b = await warmBench(t);
  for (const { launcher } of b.waiting)
    for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) signalProcess(launcher, signal);
  const end = await b.finished(b.start(TELL_LAUNCHER));
  assert.ok(pids(b.waiting).includes(Number(end.stdout.toString())));
});

test('where they wait was deleted: a script gets a launcher of its own', async (t) => {
  const b = await warmBench(t);
  rmSync(join(b.runs.path, '.launchers'), { recursive: true });
  const end = await b.finished(b.start(TELL_LAUNCHER));
  assert.equal(end.status, 'success');
  assert.equal(pids(b.waiting).includes(Number(end.stdout.toString())), false);
});

test('a kill right after the start of a waiting launcher: killed, and nobody is left', async (t) => {
  const b = await warmBench(t);
  const run = b.start('sleep 300');
  b.kill(run);
  assert.equal((await b.finished(run)).status, 'killed');
  const used = b.waiting.filter(
    ({ launcher }) => !launchersOf(b.runs).some((each) => each.launcher.pid === launcher.pid),
  );
  await allGone(used);
});

test('an executor that retires or stops sends them away', async (t) => {
  const b = await warmBench(t);
  b.executor.retire();
  await allGone(b.waiting);
  const other = await warmBench(t);
  await other.executor.stop();
  assert.deepEqual(launchersOf(other.runs), []);
});
