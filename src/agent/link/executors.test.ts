import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { until } from '../../shared/testing/until.js';
import { readIfThere } from '../runs/json-file.js';
import { findExecutors } from '../runs/executor-entry.js';
import {
  isProcessAlive,
  readIdentityFile,
  readStat,
  signalProcess,
  type ProcessIdentity,
} from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import { launchersOf } from '../executor/testing/waiting-launchers.js';
import type { Executors } from './executors.js';
import { Desk, OTHER_RUN, RUN } from './testing/desk.js';

test('an executor outlives its link, and the next link finds what it did', async (t) => {
  const desk = new Desk(t);
  const first = desk.link();
  await first.start();
  desk.start(first, 'echo up; while [ ! -e "$0.go" ]; do sleep 0.05; done; echo end');
  await desk.hears('started');
  await first[Symbol.asyncDispose]();
  const [before] = findExecutors(desk.metaDir);
  await using second = desk.link();
  await second.start();
  assert.deepEqual(findExecutors(desk.metaDir), [before]);
  const ready = desk.heard.at(-1);
  assert.ok(ready?.t === 'ready');
  assert.deepEqual(ready.running, [RUN]);
  desk.write('script.go');
  await desk.hears('ended');
  assert.deepEqual([desk.outcome().status, desk.stdout()], ['success', 'up\nend\n']);
});

test('an executor that is killed is replaced: the script goes on, its exit code and all of its stderr arrive', async (t) => {
  const desk = new Desk(t);
  await using link = desk.link();
  await link.start();
  const loop = 'echo up; while [ ! -e "$0.go" ]; do echo e >&2; sleep 0.02; done; echo last >&2; exit 7';
  desk.start(link, loop);
  await desk.printed('up\n');
  desk.killExecutor();
  await desk.hears('ready', 2);
  desk.write('script.go');
  await desk.hears('ended');
  const { status, exitCode, stdoutTruncated } = desk.outcome();
  assert.deepEqual([status, exitCode, stdoutTruncated], ['failed', 7, true]);
  assert.equal(desk.stdout(), 'up\n');
  assert.match(desk.stderr(), /^(e\n)+last\n$/);
  assert.equal(desk.count('started'), 1);
});

test('an executor is killed under a script without a terminal: all that goes through helpers arrives', async (t) => {
  const desk = new Desk(t);
  await using link = desk.link();
  await link.start();
  const script = `#!/bin/bash
exec > >(while read -r l; do sleep 0.1; echo "$l"; done) 2> >(tee "$0.log" >&2)
echo up; while [ ! -e "$0.go" ]; do sleep 0.02; done
for i in 1 2 3 4 5; do echo $i; echo $i >&2; done; exit 7`;
  desk.start(link, script, { terminal: false });
  await desk.printed('up\n');
  desk.killExecutor();
  await desk.hears('ready', 2);
  desk.write('script.go');
  await desk.hears('ended');
  const { status, exitCode, stdoutTruncated, stderrTruncated } = desk.outcome();
  assert.deepEqual([status, exitCode, stdoutTruncated, stderrTruncated], ['failed', 7, false, false]);
  assert.deepEqual([desk.stdout(), desk.stderr()], ['up\n1\n2\n3\n4\n5\n', '1\n2\n3\n4\n5\n']);
});

test('an executor is killed: the launchers that waited under it leave, and what they left is cleared away', async (t) => {
  const desk = new Desk(t);
  await using link = desk.link();
  await link.start();
  await until('launchers wait', () => launchersOf(desk.runs).filter(({ starter }) => starter).length === 3);
  const before = launchersOf(desk.runs).flatMap(({ launcher, starter }) => [launcher, ...(starter ? [starter] : [])]);
  const pipes = readdirSync(join(desk.runs.path, '.launchers'));
  desk.killExecutor();
  await until('they are gone', () => before.every((process) => !isProcessAlive(process)));
  await desk.hears('ready', 2);
  const left = new Set(readdirSync(join(desk.runs.path, '.launchers')));
  assert.deepEqual(
    pipes.filter((name) => left.has(name)),
    [],
  );
});

test('an adopted script can be killed, with its children', async (t) => {
  const desk = new Desk(t);
  await using link = desk.link();
  await link.start();
  desk.start(link, 'trap "" TERM; sleep 300 & echo up; wait; sleep 300');
  await desk.printed('up\n');
  desk.killExecutor();
  await desk.hears('ready', 2);
  link.send({ t: 'kill', run: RUN, cluster: '0123abcd', host: 'h', tombstone: false });
  await desk.hears('ended');
  assert.equal(desk.outcome().status, 'killed');
});

test('a script that ended while no executor lived is reported with its exit code', async (t) => {
  const desk = new Desk(t);
  const link = desk.link();
  await link.start();
  desk.start(link, 'echo up; while [ ! -e "$0.go" ]; do sleep 0.02; done; echo bye >&2; exit 4');
  await desk.printed('up\n');
  await link[Symbol.asyncDispose]();
  desk.killExecutor();
  desk.write('script.go');
  const code = desk.runs.file(RUN, RunFile.code);
  await until('the launcher has noted the code', () => readIfThere(code) === '4\n');
  await using next = desk.link();
  await next.start();
  await until('its outcome is there', () => desk.hasOutcome());
  assert.deepEqual([desk.outcome().status, desk.outcome().exitCode], ['failed', 4]);
  assert.equal(desk.stderr(), 'bye\n');
});

test('a claimed run with nothing left of it is lost, in words, and never started again', async (t) => {
  const desk = new Desk(t);
  const claim = { format: 1, cluster: '0123abcd', host: 'h', taskId: 1, clock: 1, bootId: 'another boot' };
  const more = { executor: 'dead', claimedMs: 1, claimedMonoMs: 1, timeoutMs: 1_000 };
  mkdirSync(desk.runs.folder(RUN));
  desk.write(RunFile.claim, JSON.stringify({ ...claim, ...more }));
  await using link = desk.link();
  await link.start();
  await until('its outcome is there', () => desk.hasOutcome());
  assert.deepEqual([desk.outcome().status, desk.outcome().reason], ['failed', 'lost']);
  assert.match(desk.stderr(), /^ibex: the machine was restarted\n$/);
  desk.start(link, 'echo ran');
  link.send({ t: 'retire' });
  await until('the executor has left', () => findExecutors(desk.metaDir).length === 0 || desk.count('ready') > 1);
  assert.equal(desk.count('started'), 0);
});

test('a record that cannot be read is closed as lost, and does not stop the others', async (t) => {
  const desk = new Desk(t);
  mkdirSync(desk.runs.folder(RUN));
  desk.write(RunFile.claim, '{"format":1,"clus');
  await using link = desk.link();
  await link.start();
  await until('its outcome is there', () => desk.hasOutcome());
  assert.deepEqual([desk.outcome().status, desk.outcome().reason], ['failed', 'lost']);
  assert.match(desk.stderr(), /cannot read its record/);
});

test('an executor killed while it ends a script: the next one goes on, with the same verdict, and leaves nobody', async (t) => {
  const desk = new Desk(t);
  await using link = desk.link();
  await link.start();
  desk.start(link, 'trap "" TERM; (trap "" TERM; setsid sleep 300) & echo $!; sleep 300; exit 0');
  await desk.printed('\n');
  link.send({ t: 'kill', run: RUN, cluster: '0123abcd', host: 'h', tombstone: false });
  const noted = desk.runs.file(RUN, RunFile.cause);
  await until('its processes are noted', () => (readIfThere(noted) ?? '').split('\n').length > 2);
  const pids = (readIfThere(noted) ?? '').split('\n').slice(1).filter(Boolean).map(Number.parseFloat);
  desk.killExecutor();
  await desk.hears('ended');
  assert.equal(desk.outcome().status, 'killed');
  assert.deepEqual(
    pids.filter((pid) => readStat(pid) !== undefined && readStat(pid)?.state !== 'Z'),
    [],
  );
});

test('an older executor that hangs keeps no script from starting, and is heard once it goes on', async (t) => {
  const desk = new Desk(t);
  const first = desk.link();
  await first.start();
  desk.start(first, 'echo up; while [ ! -e "$0.go" ]; do sleep 0.05; done');
  await desk.printed('up\n');
  await first[Symbol.asyncDispose]();
  const [old] = findExecutors(desk.metaDir);
  assert.ok(old && signalProcess(old, 'SIGSTOP'));
  await using second = desk.link({ settings: { maxRuns: 5 } });
  try {
    await second.start();
    desk.start(second, 'true', { run: OTHER_RUN });
    await desk.hears('ended');
  } finally {
    signalProcess(old, 'SIGCONT');
  }
  desk.write('script.go');
  await desk.hears('ended', 2);
  await until('the older executor has left', () => !isProcessAlive(old));
});

test('of two executors that are started side by side one stays', async (t) => {
  const desk = new Desk(t);
  await using first = desk.link();
  await using second = desk.link();
  await Promise.all([first.start(), second.start()]);
  assert.equal(findExecutors(desk.metaDir).length, 1);
  desk.start(first, 'echo $PPID');
  await desk.hears('ended', 2);
  assert.equal(desk.count('started'), 2, 'each link hears of the one start');
});

/** A script that has ended, whose launcher could not write its exit code down, in the hands of a second executor. */
async function endedUnnoted(t: TestContext, link: Executors, desk: Desk): Promise<ProcessIdentity> {
  await link.start();
  desk.start(link, 'ln -s nowhere/code "${0%/*}/code"; echo up; while [ ! -e "$0.go" ]; do sleep 0.02; done; exit 4');
  await desk.printed('up\n');
  const [script, launcher] = [RunFile.pid, RunFile.launcher].map((name) => readIdentityFile(desk.runs.file(RUN, name)));
  assert.ok(script && launcher);
  t.after(() => signalProcess(launcher, 'SIGKILL'));
  desk.killExecutor();
  await desk.hears('ready', 2);
  desk.write('script.go');
  await until('the script has ended', () => !isProcessAlive(script));
  return launcher;
}

test('an exit code that the disk refuses at first is noted later, and reported', async (t) => {
  const desk = new Desk(t);
  await using link = desk.link();
  const launcher = await endedUnnoted(t, link, desk);
  rmSync(desk.runs.file(RUN, RunFile.code));
  await desk.hears('ended');
  assert.deepEqual([desk.outcome().status, desk.outcome().exitCode], ['failed', 4]);
  await until('the launcher has left', () => !isProcessAlive(launcher));
});

test('a launcher whose script is killed after its end leaves, though the exit code cannot be noted', async (t) => {
  const desk = new Desk(t);
  await using link = desk.link();
  const launcher = await endedUnnoted(t, link, desk);
  link.send({ t: 'kill', run: RUN, cluster: '0123abcd', host: 'h', tombstone: false });
  await desk.hears('ended');
  assert.equal(desk.outcome().status, 'killed');
  await until('the launcher has left', () => !isProcessAlive(launcher));
});
