import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { launcherEnvironment } from './environment.js';
import { temporaryAccount } from './testing/temporary-account.js';
import { commandFor, lookUpAccount, type Command, type ScriptCall } from './account.js';

function scriptIn(t: TestContext, folderMode: number, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-account-'));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, folderMode);
  const script = join(folder, 'script');
  writeFileSync(script, text, { mode: 0o755 });
  return script;
}

function planned(call: Pick<ScriptCall, 'script'> & Partial<ScriptCall>): Command {
  const plan = commandFor({
    account: userInfo().username,
    args: [],
    taskId: 7,
    host: 'web-01',
    terminal: true,
    pagers: '/no/pagers',
    ignoreAccount: false,
    ...call,
  });
  assert.ok('command' in plan, JSON.stringify(plan));
  return plan.command;
}

function execute(command: Command): SpawnSyncReturns<string> {
  // By way of a shell, as the launcher does.
  return spawnSync('/bin/sh', ['-c', 'exec "$@"', 'sh', ...command.argv], {
    env: { ...launcherEnvironment('/no/pagers'), ...command.env },
    cwd: command.home,
    encoding: 'utf8',
  });
}

function run(command: Command): string {
  const done = execute(command);
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

const TELL = '#!/bin/sh\nid -un; pwd; echo "$HOME $IBEX_TASK_ID $IBEX_HOST $TERM $PAGER $#[$1][$2]"';

test("the agent's own account: its home, a quiet environment, no secrets of the agent's", (t) => {
  process.env['IBEX_PASSWORD'] = 'secret';
  t.after(() => delete process.env['IBEX_PASSWORD']);
  const command = planned({ script: scriptIn(t, 0o700, TELL), args: ["it's", 'a b'] });
  const { username, homedir } = userInfo();
  assert.equal(run(command), `${username}\n${homedir}\n${homedir} 7 web-01 dumb cat 2[it's][a b]\n`);
  assert.equal(Object.keys(launcherEnvironment('')).includes('IBEX_PASSWORD'), false);
});

test('an account that does not exist, or whose name is no name, is refused', () => {
  for (const account of ['no-such-user-here', '-x', 'a b', '$(id)', '../root']) {
    const surroundings = { taskId: 1, host: 'h', terminal: true, pagers: '/no/pagers' };
    const call = { ...surroundings, account, script: '/dev/null', args: [], ignoreAccount: false };
    const plan = commandFor(call);
    assert.ok('refusal' in plan && plan.refusal.includes(JSON.stringify(account)), account);
  }
});

test('another account: login environment and home, also where it may not enter the folder', (t) => {
  if (process.getuid?.() !== 0) {
    t.skip('only root can become another account');
    return;
  }
  const { name, home } = temporaryAccount(t);
  for (const mode of [0o711, 0o700]) {
    for (const interpreter of ['#!/bin/sh\n', '#!/bin/sh -u\n', '']) {
      const script = scriptIn(t, mode, `${interpreter}${TELL.slice(TELL.indexOf('\n') + 1)} $FROM_PROFILE`);
      assert.equal(
        run(planned({ script, account: name, args: ['x', "y'z"] })),
        `${name}\n${home}\n${home} 7 web-01 dumb cat 2[x][y'z] yes\n`,
        `mode ${mode.toString(8)}, ${interpreter}`,
      );
    }
  }
});

const isRoot = process.getuid?.() === 0;
const noexec = isRoot ? mkdtempSync(join(tmpdir(), 'ibex-noexec-')) : '';
const isMounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'noexec,mode=755', 'tmpfs', noexec]).status === 0;
after(() => {
  if (isMounted) spawnSync('umount', [noexec]);
  if (isRoot) rmSync(noexec, { recursive: true });
});

test(
  'on a file system without execution a script is run by its interpreter, as the kernel would',
  { skip: !isMounted && 'nothing can be mounted here' },
  (t) => {
    const script = join(noexec, 'script');
    const interpreter = `${scriptIn(t, 0o755, '')}-à`;
    symlinkSync('/bin/sh', interpreter);
    const { name } = temporaryAccount(t);
    const tell = 'echo "$# $1 $-"';
    for (const account of [userInfo().username, name]) {
      const result = (text: string) => {
        writeFileSync(script, text, { mode: 0o755 });
        return execute(planned({ script, account, args: ["x 'y"] }));
      };
      const cases: readonly (readonly [string, RegExp])[] = [
        [`#!/bin/sh\n${tell}`, /^1 x 'y /],
        [`#! /bin/bash -eu \n${tell}`, /^1 x 'y .*e.*u/],
        [`#!/usr/bin/env -S bash -e\n${tell}`, /^1 x 'y .*e/],
        [`#!${interpreter}\n${tell}`, /^1 x 'y /],
        [tell, /^1 x 'y /],
      ];
      for (const [text, expected] of cases) assert.match(result(text).stdout, expected, `${account}: ${text}`);
      const missing = result('#!/no/such/interpreter\n');
      assert.equal(missing.status, 127);
      assert.match(missing.stderr, /\/no\/such\/interpreter/);
      assert.equal(result('#!/etc/passwd\n').status, 126);
    }
  },
);

test(
  'a profile that makes every variable of ours read-only keeps no script from running',
  { skip: !isRoot && 'only root can become another account' },
  (t) => {
    const { name, home } = temporaryAccount(t);
    const ours = 'TERM PAGER GIT_PAGER SYSTEMD_PAGER IBEX_TASK_ID IBEX_HOST';
    writeFileSync(join(home, '.profile'), `PAGER=less; readonly ${ours}\n`);
    const script = scriptIn(t, 0o711, TELL);
    assert.match(run(planned({ script, account: name, args: ['a=b', 'c'] })), /7 web-01 dumb cat 2\[a=b\]\[c\]\n$/);
    const odd = join(script, '../a=b');
    renameSync(script, odd);
    assert.match(run(planned({ script: odd, account: name })), /7 web-01 dumb cat 0/);
  },
);

test('an account that the local file has is not looked up elsewhere, one that nobody has only now and then', async () => {
  assert.equal(lookUpAccount('root'), undefined);
  assert.equal(lookUpAccount('-x'), undefined);
  const name = `nobody-has-this-${process.pid}`;
  await lookUpAccount(name);
  assert.equal(lookUpAccount(name), undefined);
});

const TELL_TERMINAL = 'echo "$COLUMNS,$MANWIDTH,$QUOTING_STYLE,$LANG"; echo "$PATH"';

test('on a terminal another account gets what keeps programs from cutting, quoting and waiting; without one it does not', (t) => {
  if (process.getuid?.() !== 0) {
    t.skip('only root can become another account');
    return;
  }
  const account = temporaryAccount(t).name;
  const tell = (terminal: boolean): string[] =>
    run(planned({ script: scriptIn(t, 0o711, TELL_TERMINAL), account, terminal })).split('\n');
  const [terminal, path = ''] = tell(true);
  assert.match(terminal ?? '', /^32767,80,literal,.*UTF-8$/i);
  assert.ok(path.startsWith('/no/pagers:/'), path);
  const [pipe, plain = ''] = tell(false);
  assert.match(pipe ?? '', /^,,,/);
  assert.equal(`/no/pagers:${plain}`, path);
});

test('a profile that makes variables read-only keeps no script from running', (t) => {
  if (process.getuid?.() !== 0) {
    t.skip('only root can become another account');
    return;
  }
  const { name, home } = temporaryAccount(t);
  writeFileSync(join(home, '.profile'), 'readonly PAGER=less TERM=xterm PATH LANG=xx\n');
  const script = scriptIn(t, 0o711, 'echo $PAGER $TERM $IBEX_HOST');
  assert.equal(run(planned({ script, account: name })), 'cat dumb web-01\n');
});

test('names are readable where the agent has no locale, or C; any other is kept', (t) => {
  const names = ['LC_ALL', 'LC_CTYPE', 'LANG'];
  const before = names.map((name) => [name, process.env[name]] as const);
  t.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  const given = (env: Record<string, string>): (string | undefined)[] => {
    for (const name of names) delete process.env[name];
    Object.assign(process.env, env);
    return names.map((name) => launcherEnvironment('')[name]);
  };
  assert.deepEqual(given({}), [undefined, undefined, 'C.UTF-8']);
  assert.deepEqual(given({ LC_ALL: 'C', LANG: 'zh_CN.UTF-8' }), ['C.UTF-8', undefined, 'zh_CN.UTF-8']);
  assert.deepEqual(given({ LC_CTYPE: 'POSIX' }), [undefined, 'C.UTF-8', undefined]);
  assert.deepEqual(given({ LC_ALL: 'zh_CN.GBK' }), ['zh_CN.GBK', undefined, undefined]);
  assert.deepEqual(given({ LANG: 'zh_CN.GBK' }), [undefined, undefined, 'zh_CN.GBK']);
});
