import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Log } from '../../shared/log.js';
import { until } from '../../shared/testing/until.js';
import type { ToLink } from '../runs/control-messages.js';
import { writeAssignment } from '../runs/assignment.js';
import { readIfThere } from '../runs/json-file.js';
import { monotonicMs } from '../runs/boot.js';
import type { ExecutorSettings } from '../runs/executor-setup.js';
import { findExecutors } from '../runs/executor-entry.js';
import { readOutcome, type Outcome } from '../runs/outcome.js';
import { isProcessAlive, readStat, signalProcess } from '../runs/process-identity.js';
import { RunFile, RunsFolder } from '../runs/run-folder.js';
import { launchersOf } from '../executor/testing/waiting-launchers.js';
import { Executors } from './executors.js';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const RUN = '0123abcd-1-1';
const OTHER_RUN = '0123abcd-2-1';
const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));

interface LinkOptions {
  readonly settings?: Partial<ExecutorSettings>;
  readonly log?: Log;
  readonly onTrouble?: () => void;
}

/** A link's view of real executor processes on a MetaDir of its own; every message is kept. */
class Desk {
  readonly metaDir = mkdtempSync(join(tmpdir(), 'ibex-executors-'));
  readonly runs = new RunsFolder(this.metaDir);
  readonly heard: ToLink[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(t: TestContext) {
    mkdirSync(this.runs.path);
    t.after(async () => {
      for (const executor of findExecutors(this.metaDir)) {
        signalProcess(executor, 'SIGTERM');
        await until('the executor is gone', () => !isProcessAlive(executor));
      }
      rmSync(this.metaDir, { recursive: true });
    });
  }

  link({ settings: changed, log = silent, onTrouble = () => undefined }: LinkOptions = {}): Executors {
    const settings = { maxRuns: 10, killGraceMs: 1_000, ignoreAccount: false, ...changed };
    return new Executors({ metaDir: this.metaDir, settings, onTrouble }, log, (message) => {
      this.heard.push(message);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  start(link: Executors, script: string, run = RUN): void {
    const assignment = {
      cluster: '0123abcd',
      host: 'h',
      taskId: run === RUN ? 1 : 2,
      clock: 1,
      account: 'root',
      args: [],
      timeoutMs: 60_000,
    };
    writeAssignment(this.runs, run, assignment, script, '');
    link.send({ t: 'start', run, startBeforeMonoMs: monotonicMs() + 60_000 });
  }

  count(type: ToLink['t']): number {
    return this.heard.filter((message) => message.t === type).length;
  }

  /** Resolves once so many messages of this type were heard. */
  async hears(type: ToLink['t'], times = 1): Promise<void> {
    while (this.count(type) < times) await new Promise<void>((wake) => this.#waiting.push(wake));
  }

  async printed(text: string): Promise<void> {
    await until(`the script has printed ${text}`, () => this.stdout().includes(text));
  }

  stdout(): string {
    return readIfThere(this.runs.file(RUN, RunFile.stdout)) ?? '';
  }

  stderr(): string {
    return readFileSync(this.runs.file(RUN, RunFile.stderr), 'utf8');
  }

  hasOutcome(): boolean {
    return existsSync(this.runs.file(RUN, RunFile.exit));
  }

  /** As told, or as found on disk. */
  outcome(): Outcome {
    const told = this.heard.find((message) => message.t === 'ended');
    const outcome = told?.outcome ?? readOutcome(this.runs, RUN);
    assert.ok(outcome);
    return outcome;
  }

  killExecutor(): void {
    const [executor] = findExecutors(this.metaDir);
    assert.ok(executor && signalProcess(executor, 'SIGKILL'));
  }
}

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
  writeFile(desk, 'script.go');
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
  writeFile(desk, 'script.go');
  await desk.hears('ended');
  const { status, exitCode, stdoutTruncated } = desk.outcome();
  assert.deepEqual([status, exitCode, stdoutTruncated], ['failed', 7, true]);
  assert.equal(desk.stdout(), 'up\n');
  assert.match(desk.stderr(), /^(e\n)+last\n$/);
  assert.equal(desk.count('started'), 1);
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
  writeFile(desk, 'script.go');
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
  writeFile(desk, RunFile.claim, JSON.stringify({ ...claim, ...more }));
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
  writeFile(desk, RunFile.claim, '{"format":1,"clus');
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

test('where no executor can be started the log says why, once, and it is tried again', async (t) => {
  const desk = new Desk(t);
  const errors: object[] = [];
  const log: Log = { ...silent, error: (fields) => errors.push(fields) };
  let attempts = 0;
  await using link = desk.link({ log, onTrouble: () => attempts++ });
  const lock = join(desk.metaDir, 'executor', 'start.lock');
  mkdirSync(lock, { recursive: true });
  const started = link.start();
  await until('it was tried again', () => attempts === 3);
  assert.equal(errors.length, 1);
  assert.match(JSON.stringify(errors), /EISDIR.*start\.lock/);
  rmSync(lock, { recursive: true });
  await started;
});

test('an agent that stops does not wait for an executor that cannot be started', async (t) => {
  const desk = new Desk(t);
  const link = desk.link();
  mkdirSync(join(desk.metaDir, 'executor', 'start.lock'), { recursive: true });
  const started = assert.rejects(link.start(), { name: 'AbortError' });
  await link[Symbol.asyncDispose]();
  await started;
});

test('an executor that no agent comes back to leaves when it is idle', async (t) => {
  const desk = new Desk(t);
  const options = ['executor', '--meta-dir', desk.metaDir, '--unattended-ms', '1'];
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: 'inherit' });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.deepEqual(findExecutors(desk.metaDir), []);
  assert.match(readFileSync(join(desk.metaDir, 'executor.log'), 'utf8'), /executor is up.*\n.*executor leaves/);
});

test('executors with other settings are started side by side, and the one before gives back what waits', async (t) => {
  const desk = new Desk(t);
  const first = desk.link({ settings: { maxRuns: 1 } });
  await first.start();
  desk.start(first, 'echo up; while [ ! -e "$0.go" ]; do sleep 0.05; done');
  await desk.printed('up\n');
  desk.start(first, 'echo second', OTHER_RUN);
  await first[Symbol.asyncDispose]();
  await using second = desk.link({ settings: { maxRuns: 2 } });
  await second.start();
  const released = (): string[] =>
    desk.heard.flatMap((message) => (message.t === 'ready' ? message.released.map(({ run }) => run) : []));
  await until('it is given back', () => released().length > 0);
  assert.deepEqual(released(), [OTHER_RUN]);
  assert.equal(findExecutors(desk.metaDir).length, 2);
  assert.equal(existsSync(desk.runs.file(OTHER_RUN, RunFile.claim)), false);
  writeFile(desk, 'script.go');
  await desk.hears('ended');
  await until('the first has left', () => findExecutors(desk.metaDir).length === 1);
});

test('nothing of the environment is on the disk', async (t) => {
  const desk = new Desk(t);
  process.env['A_SECRET'] = 'hunter2-in-clear';
  t.after(() => delete process.env['A_SECRET']);
  await using link = desk.link();
  await link.start();
  const [entry] = findExecutors(desk.metaDir);
  assert.match(entry?.setup ?? '', /^[0-9a-f]{64}$/);
  for (const name of readdirSync(join(desk.metaDir, 'executor')).filter((each) => each.endsWith('.json'))) {
    assert.doesNotMatch(readFileSync(join(desk.metaDir, 'executor', name), 'utf8'), /hunter2/);
  }
});

function writeFile(desk: Desk, name: string, text = ''): void {
  writeFileSync(join(desk.runs.folder(RUN), name), text);
}
