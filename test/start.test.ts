import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { projectRoot } from '../scripts/project.js';
import { executors, identify } from '../scripts/start/processes.js';
import { account } from './harness/account.ts';
import { IbexProcess } from './harness/ibex-process.ts';
import { waitFor } from './harness/wait-for.ts';

const script = fileURLToPath(new URL('../scripts/start.js', import.meta.url));

function start(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const output: { readonly atMs: number; readonly text: string }[] = [];
  const collect = (data: Buffer) => output.push({ atMs: performance.now(), text: data.toString() });
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return { child, output, text: () => output.map(({ text }) => text).join('') };
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  return await new Promise((resolve) => child.once('close', resolve));
}

function stateFolder(child: ChildProcess): string {
  return join(projectRoot, '.ibex-start', String(child.pid));
}

/** Pids whose command line names this folder: server, agent and executor. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}

test('npm start -- --once shows the sample as it is written, and leaves nothing behind', async () => {
  const { child, output, text } = start(['--once']);
  const folder = stateFolder(child);
  const code = await exitCode(child);
  assert.equal(code, 0, text());
  const lines = text().match(/^\S+ \| line \d of 5, .*$/gm);
  assert.equal(lines?.length, 5, text());
  const linesAtMs = output.filter(({ text: piece }) => /\| line \d of 5/.test(piece)).map(({ atMs }) => atMs);
  // Written 300 ms apart each; all at once would be one piece.
  assert.ok(linesAtMs.length >= 4, `the five lines came in ${linesAtMs.length} pieces`);
  assert.equal(existsSync(folder), false);
  // Launchers that were not used leave once they see that their executor has gone.
  await waitFor('every process to leave', () => processesOf(folder).length === 0 || undefined);
});

test('where the agent cannot start the cause is shown, and the logs stay', async () => {
  // Without flock on PATH an agent can't lock its MetaDir.
  const { child, text } = start(['--once'], { PATH: '/nowhere' });
  const folder = stateFolder(child);
  assert.equal(await exitCode(child), 1);
  assert.match(text(), /ibex agentd ended \(exit 1\)/);
  assert.match(text(), /last lines of agentd's log:\n.*the program flock \(of util-linux\) is needed/);
  assert.ok(text().includes(`The logs stay in ${folder} `));
  assert.match(readFileSync(join(folder, 'agentd.log'), 'utf8'), /flock/);
  assert.deepEqual(processesOf(folder), []);
  rmSync(folder, { recursive: true });
});

test('SIGTERM ends all that npm start has started, a running script too; taken ports are replaced', async () => {
  // Holds the API's port unless somebody else already does: taken it is either way.
  const holder = createServer();
  holder.on('error', () => {});
  holder.listen(10_090, '127.0.0.1');
  const { child, text } = start();
  try {
    const [, url] = await waitFor('the server', () => /ibex is up: +(http:\S+)/.exec(text()) ?? undefined);
    assert.match(text(), /Port 10090 \(HTTP API\) is taken; using \d+ instead/);
    const [, password = ''] = /export IBEX_PASSWORD=(\S+)/.exec(text()) ?? [];
    assert.match(text(), /curl -u ibex:\$IBEX_PASSWORD/);
    const host = /--hosts (\S+)/.exec(text())?.[1] ?? '';
    const folder = stateFolder(child);
    const [executor] = executors(join(folder, 'meta'));
    assert.ok(executor);
    const words = ['--url', url ?? '', '--hosts', host, '--account', account, '--raw', '--', 'sh', '-c'];
    const env = { IBEX_PASSWORD: password };
    const run = new IbexProcess(['run', ...words, 'echo $$; exec sleep 300'], { env });
    // Nothing that npm start has chosen itself is warned of; the agent may come before its server.
    for (const role of ['server', 'agentd'])
      assert.doesNotMatch(readFileSync(join(folder, `${role}.log`), 'utf8'), /"level":"error"|meaning here|password/);
    const pid = await waitFor('the script', () => Number(run.stdout.toString()) || undefined);
    assert.ok(identify(pid));

    child.kill('SIGTERM');
    const code = await exitCode(child);
    assert.equal(code, 0, text());
    await run.end('SIGKILL');
    assert.equal(identify(pid), undefined, 'the script still runs');
    assert.equal(identify(executor.pid), undefined, 'the executor still runs');
    // Launchers that were not used leave once they see that their executor has gone.
    await waitFor('every process to leave', () => processesOf(folder).length === 0 || undefined);
    assert.equal(existsSync(folder), false);
  } finally {
    child.kill('SIGTERM');
    holder.close();
  }
});

test('npm start knows one option and refuses any other', async () => {
  for (const words of [['--onec'], ['--once', 'x']]) {
    const { child, text } = start(words);
    assert.equal(await exitCode(child), 2);
    assert.match(text(), /npm start: unknown option --on(ec|ce x); there is only one: npm start -- --once/);
  }
});
