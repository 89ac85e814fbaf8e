import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { monotonicMs } from '../runs/boot.js';
import { writeAssignment, type Assignment } from '../runs/assignment.js';
import { readOutcome, type Outcome } from '../runs/outcome.js';
import { isAlive, readStat } from '../runs/process-identity.js';
import { RunFile, RunsFolder } from '../runs/run-folder.js';
import type { ToLink } from '../runs/bell.js';
import { Executor } from './executor.js';
import { closeInheritedOnExec } from './libc.js';

// Whatever this test's own runner left open is not the executor's doing.
closeInheritedOnExec();

interface Bench {
  readonly runs: RunsFolder;
  readonly executor: Executor;
  start(
    script: string,
    more?: Partial<Assignment> & { readonly stdin?: string; readonly startBeforeMonoMs?: number },
  ): string;
  finished(run: string): Promise<Finished>;
  started(run: string): Promise<void>;
  kill(run: string, tombstone?: boolean): void;
}

interface Finished extends Outcome {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** A real executor in this process on a folder of its own; what it tells is kept, so that no message can be missed. */
function bench(t: TestContext, options: { readonly maxRuns?: number; readonly killGraceMs?: number } = {}): Bench {
  const metaDir = mkdtempSync(join(tmpdir(), 'ibex-executor-'));
  const runs = new RunsFolder(metaDir);
  mkdirSync(runs.path);
  const told = new Map<string, PromiseWithResolvers<void>>();
  const waitFor = (message: string, run: string): PromiseWithResolvers<void> => {
    const name = `${message} ${run}`;
    const waiting = told.get(name) ?? Promise.withResolvers<void>();
    told.set(name, waiting);
    return waiting;
  };
  const tell = (message: ToLink): void => {
    if ('run' in message) waitFor(message.t, message.run).resolve();
  };
  const executor = new Executor(
    runs,
    {
      instance: 'test',
      maxRuns: options.maxRuns ?? 256,
      killGraceMs: options.killGraceMs ?? 5_000,
      ignoreAccount: false,
    },
    tell,
    () => undefined,
  );
  t.after(async () => {
    await executor.stop();
    rmSync(metaDir, { recursive: true, force: true });
  });
  let task = 0;
  return {
    runs,
    executor,
    start(script, { stdin = '', startBeforeMonoMs = monotonicMs() + 60_000, ...more } = {}) {
      task++;
      const run = `0123abcd-${task}-1`;
      const assignment = {
        cluster: '0123abcd',
        host: 'h',
        taskId: task,
        clock: 1,
        account: 'root',
        args: [],
        timeoutMs: 60_000,
      };
      writeAssignment(runs, run, { ...assignment, ...more }, script, stdin);
      executor.handle({ t: 'start', run, startBeforeMonoMs });
      return run;
    },
    async finished(run) {
      await waitFor('ended', run).promise;
      const outcome = readOutcome(runs, run);
      assert.ok(outcome);
      const read = (name: RunFile): Buffer =>
        existsSync(runs.file(run, name)) ? readFileSync(runs.file(run, name)) : Buffer.alloc(0);
      return { ...outcome, stdout: read(RunFile.stdout), stderr: read(RunFile.stderr) };
    },
    started: (run) => waitFor('started', run).promise,
    kill: (run, tombstone = false) => executor.handle({ t: 'kill', run, cluster: '0123abcd', host: 'h', tombstone }),
  };
}

async function runScript(t: TestContext, script: string, more: Parameters<Bench['start']>[1] = {}): Promise<Finished> {
  const b = bench(t);
  return b.finished(b.start(script, more));
}

/** Waits until a condition that another process brings about holds. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!holds()) {
    assert.ok(performance.now() < limit, `waited too long until ${what}`);
    await new Promise((done) => setImmediate(done));
  }
}

test('a script that succeeds: both streams apart, exit 0', async (t) => {
  const end = await runScript(t, '#!/bin/sh\necho out; echo err >&2');
  assert.deepEqual([end.status, end.exitCode, end.reason], ['success', 0, null]);
  assert.equal(end.stdout.toString(), 'out\n');
  assert.equal(end.stderr.toString(), 'err\n');
  assert.deepEqual([end.stdoutBytes, end.stderrBytes], [4, 4]);
});

test('an exit code other than 0 is failed', async (t) => {
  const end = await runScript(t, 'exit 3');
  assert.deepEqual([end.status, end.exitCode, end.signal], ['failed', 3, null]);
});

test('bytes are exact: carriage returns, tabs, NUL, escapes and invalid UTF-8', async (t) => {
  const end = await runScript(t, "printf 'a\\r\\n\\tb\\000\\377\\033[1m\\004\\003z'");
  assert.equal(end.stdout.toString('latin1'), 'a\r\n\tb\0\xff\x1b[1m\x04\x03z');
});

test('arguments arrive as they are', async (t) => {
  const args = ['a b', '$HOME', "it's", '`id`', '*', '', '-n', '--', 'x\ny'];
  const end = await runScript(t, '#!/bin/sh\nfor a in "$@"; do printf "[%s]" "$a"; done', { args });
  assert.equal(end.stdout.toString(), args.map((arg) => `[${arg}]`).join(''));
});

test('stdin is exact and ends', async (t) => {
  const stdin = 'no newline at the end \u{1f525}\r\n\0x';
  const end = await runScript(t, 'cat', { stdin });
  assert.equal(end.stdout.toString(), stdin);
});

test('without stdin the script meets the end of input at once, and has no terminal to read from', async (t) => {
  const end = await runScript(t, 'cat; (read x </dev/tty) 2>/dev/null && echo tty; tty; echo end');
  assert.equal(end.stdout.toString(), 'not a tty\nend\n');
});

test('default signal dispositions: a script that signals itself dies of it', async (t) => {
  const b = bench(t);
  for (const [signal, code] of [
    ['INT', 130],
    ['QUIT', 131],
    ['TERM', 143],
    ['HUP', 129],
    ['KILL', 137],
  ] as const) {
    const end = await b.finished(b.start(`kill -${signal} $$; echo survived`));
    assert.deepEqual(
      [end.status, end.exitCode, end.signal, end.stdout.toString()],
      ['failed', code, code - 128, ''],
      signal,
    );
  }
});

test('/dev/stderr and /dev/stdout can be opened and appended to', async (t) => {
  const end = await runScript(t, 'echo 1 >&2; echo 2 >/dev/stderr; echo 3 >&2; echo a; echo b >/dev/stdout; echo c');
  assert.equal(end.stderr.toString(), '1\n2\n3\n');
  assert.equal(end.stdout.toString(), 'a\nb\nc\n');
});

test('scripts inherit nothing open but stdin, stdout and stderr', async (t) => {
  const b = bench(t);
  const first = b.start('sleep 30');
  await b.started(first);
  const end = await b.finished(b.start('ls /proc/self/fd | tr "\\n" " "'));
  // 3 is the folder that ls itself reads.
  assert.equal(end.stdout.toString(), '0 1 2 3 ');
  b.kill(first);
});

test('not a byte of the tail is lost: many scripts that print and end at once', async (t) => {
  const b = bench(t);
  const script = 'seq 1 40000 | head -c 200000; printf END >&2';
  const runs = Array.from({ length: 40 }, () => b.start(script));
  const ends = await Promise.all(runs.map((run) => b.finished(run)));
  for (const end of ends) {
    assert.equal(end.stdout.length, 200_000);
    assert.equal(end.stderr.toString(), 'END');
  }
});

test('large binary output at full speed is exact', async (t) => {
  const end = await runScript(t, 'head -c 20000000 /dev/urandom >&2', {});
  assert.equal(end.stderrBytes, 20_000_000);
  const b = bench(t);
  const out = await b.finished(
    b.start(
      'head -c 20000000 /dev/urandom >"$PWD/.ibex-test-bytes"; cat "$PWD/.ibex-test-bytes"; sha256sum <"$PWD/.ibex-test-bytes" >&2; rm "$PWD/.ibex-test-bytes"',
    ),
  );
  assert.equal(createHash('sha256').update(out.stdout).digest('hex'), out.stderr.toString().slice(0, 64));
});

test('what a script prints of its surroundings cannot end its stdout', async (t) => {
  const end = await runScript(t, 'ps -ef; ps auxeww; cat /proc/$PPID/environ /proc/$PPID/cmdline; echo last');
  assert.match(end.stdout.toString('latin1'), /last\n$/);
});

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

test('an account that does not exist is refused in words', async (t) => {
  const end = await runScript(t, 'echo hi', { account: 'no-such-user-here' });
  assert.deepEqual([end.status, end.reason], ['failed', 'account']);
  assert.match(end.stderr.toString(), /^ibex: .*no-such-user-here/);
});

test('an interpreter that does not exist: failed, with a reason on stderr', async (t) => {
  const end = await runScript(t, '#!/no/such/interpreter\necho hi');
  assert.equal(end.status, 'failed');
  assert.match(end.stderr.toString(), /\S/);
});

test('a script that kills its launcher: its exit is not made up', async (t) => {
  const end = await runScript(t, 'echo before; kill -9 $PPID; sleep 0.3');
  assert.deepEqual([end.status, end.reason, end.exitCode], ['failed', 'exit-unknown', null]);
  assert.equal(end.stdout.toString(), 'before\n');
  assert.match(end.stderr.toString(), /ibex: /);
});

test('no process of a finished run is left behind', async (t) => {
  const b = bench(t);
  const run = b.start('echo $PPID $$');
  const end = await b.finished(run);
  const pids = end.stdout.toString().trim().split(' ').map(Number);
  const stats = pids.map((pid) => readStat(pid));
  await until('launcher and script are gone', () => stats.every((stat) => stat === undefined || !isAlive(stat)));
});
