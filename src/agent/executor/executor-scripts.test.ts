import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bench, runScript } from './testing/executor-bench.js';

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

test('stdout and stderr can only be written to, so that nothing waits for keys on them', async (t) => {
  const b = bench(t);
  for (const terminal of [true, false]) {
    const end = await b.finished(b.start('head -c 5 <&1; echo $?; head -c 5 <&2; echo $?', { terminal }));
    assert.equal(end.stdout.toString(), '1\n1\n');
    assert.match(end.stderr.toString(), /Bad file descriptor[^]*Bad file descriptor/);
  }
});

test('what keeps programs from cutting, quoting and waiting is there on a terminal, and only there', async (t) => {
  const b = bench(t);
  const tell = 'echo "$COLUMNS,$MANWIDTH,$QUOTING_STYLE,${PATH%%:*},$IBEX_PAGERS"';
  const terminal = await b.finished(b.start(tell));
  assert.equal(terminal.stdout.toString(), `32767,80,literal,${b.runs.pagers},\n`);
  const pipe = await b.finished(b.start(tell, { terminal: false }));
  assert.match(pipe.stdout.toString(), /^,,,\//);
  assert.ok(!pipe.stdout.toString().includes(b.runs.pagers));
});

test('a program that sets the terminal to sane values does not turn LF into CR LF', async (t) => {
  const end = await runScript(t, 'stty sane <&1; echo a; printf "b\\n\\r\\n"; stty -F /dev/stdout onlcr opost; seq 3');
  assert.equal(end.stdout.toString(), 'a\nb\n\r\n1\n2\n3\n');
});

test('without a terminal: bytes exact, streams apart, /dev/stdout and /dev/stderr can be opened, no terminal', async (t) => {
  const script =
    "printf 'a\\r\\n\\000\\377\\033[1m'; echo b >/dev/stdout; echo c >/dev/stderr; test -t 1 || echo pipe; seq 1 40000";
  const end = await runScript(t, script, { terminal: false });
  const numbers = Array.from({ length: 40_000 }, (_, i) => `${i + 1}\n`).join('');
  assert.equal(end.stdout.toString('latin1'), `a\r\n\0\xff\x1b[1mb\npipe\n${numbers}`);
  assert.equal(end.stderr.toString(), 'c\n');
  assert.deepEqual([end.status, end.stdoutTruncated], ['success', false]);
});

test('nothing that a program prints is cut, quoted, or kept back until a key is pressed', async (t) => {
  const b = bench(t);
  const folder = mkdtempSync(join(tmpdir(), 'ibex-names-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const names = ['中文日志.log', 'a b', "it's"];
  for (const name of names) writeFileSync(join(folder, name), 'line of it\n'.repeat(300));
  const long = 'x'.repeat(3_000);
  for (const shell of ['#!/bin/sh', '#!/bin/bash\nexec 2>&1']) {
    const ps = await b.finished(
      b.start(`${shell}\nsh -c 'sleep 29 # ${long}' & ls / >/dev/null\nps -ef; ps aux; kill $!`),
    );
    assert.ok(ps.stdout.toString().split(`sleep 29 # ${long}`).length >= 3, shell);
  }
  const ls = await b.finished(b.start(`ls ${folder}`));
  for (const name of names) assert.ok(ls.stdout.toString().includes(name), ls.stdout.toString());
  for (const pager of ['less', 'more', 'cat x | less', 'git --paginate -c core.pager=more diff --no-index /dev/null']) {
    const end = await b.finished(b.start(`cd ${folder}; git init -q; ln -sf "a b" x; ${pager} "${folder}/a b"`));
    assert.ok(end.stdout.toString().split('line of it').length === 301, pager);
  }
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
