import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Log } from '../../shared/log.js';
import { until } from '../../shared/testing/until.js';
import { readClaim } from '../runs/claim.js';
import { findExecutors } from '../runs/executor-entry.js';
import { RunFile } from '../runs/run-folder.js';
import { Desk, OTHER_RUN, silent } from './testing/desk.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));

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

test('an executor whose link breaks waits as long for the next one, and no longer', async (t) => {
  const desk = new Desk(t);
  const options = ['executor', '--meta-dir', desk.metaDir, '--unattended-ms', '3000'];
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: 'inherit' });
  const ended = once(child, 'exit');
  const entry = await until('it is up', () => findExecutors(desk.metaDir)[0]);
  const socket = connect(join(desk.metaDir, 'executor', `${entry.instance}.sock`));
  await once(socket, 'data');
  const connectedMs = performance.now();
  socket.destroy();
  assert.deepEqual(await ended, [0, null]);
  assert.ok(performance.now() - connectedMs >= 2_990, 'it has left before its time');
});

test('executors with other settings are started side by side, and the one before gives back what waits', async (t) => {
  const desk = new Desk(t);
  const first = desk.link({ settings: { maxRuns: 1 } });
  await first.start();
  desk.start(first, 'echo up; while [ ! -e "$0.go" ]; do sleep 0.05; done');
  await desk.printed('up\n');
  desk.start(first, 'echo second', { run: OTHER_RUN });
  await first[Symbol.asyncDispose]();
  await using second = desk.link({ settings: { maxRuns: 2 } });
  await second.start();
  const released = (): string[] =>
    desk.heard.flatMap((message) => (message.t === 'ready' ? message.released.map(({ run }) => run) : []));
  await until('it is given back', () => released().length > 0);
  assert.deepEqual(released(), [OTHER_RUN]);
  assert.equal(findExecutors(desk.metaDir).length, 2);
  assert.equal(existsSync(desk.runs.file(OTHER_RUN, RunFile.claim)), false);
  desk.write('script.go');
  await desk.hears('ended');
  await until('the first has left', () => findExecutors(desk.metaDir).length === 1);
});

test('settings that come back find no executor that has retired', async (t) => {
  const desk = new Desk(t);
  const first = desk.link({ settings: { maxRuns: 1 } });
  await first.start();
  desk.start(first, 'echo up; while [ ! -e "$0.go" ]; do sleep 0.05; done');
  await desk.printed('up\n');
  const [retired] = findExecutors(desk.metaDir);
  await first[Symbol.asyncDispose]();
  const second = desk.link({ settings: { maxRuns: 2 } });
  await second.start();
  await until('the first shows that it retires', () => findExecutors(desk.metaDir).some(({ setup }) => setup === ''));
  await second[Symbol.asyncDispose]();
  await using third = desk.link({ settings: { maxRuns: 1 } });
  await third.start();
  desk.start(third, 'true', { run: OTHER_RUN });
  await desk.hears('ended');
  assert.notEqual(readClaim(desk.runs, OTHER_RUN)?.executor, retired?.instance);
  desk.write('script.go');
  await desk.hears('ended', 2);
});

test('an agent takes the executor that it has started, though its environment has changed meanwhile', async (t) => {
  const desk = new Desk(t);
  await using link = desk.link();
  const started = link.start();
  process.env['SET_MEANWHILE'] = '1';
  t.after(() => delete process.env['SET_MEANWHILE']);
  await started;
  desk.start(link, 'true');
  await desk.hears('ended');
  assert.equal(findExecutors(desk.metaDir).length, 1);
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
