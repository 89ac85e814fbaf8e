import { mkdirSync, readdirSync, rmSync, unlinkSync, writeFileSync, renameSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomUUID } from 'node:crypto';
import { describeError } from '../../shared/errors.js';
import { ibexVersion } from '../../shared/version.js';
import { onBell, parseToExecutor, ring, type ToLink } from '../runs/bell.js';
import { executorFolder, findExecutors, shortSocketPath, type ExecutorEntry } from '../runs/executor-entry.js';
import { readStat } from '../runs/process-identity.js';
import { RunsFolder } from '../runs/run-folder.js';
import { Executor } from './executor.js';
import { ExecutorLog } from './executor-log.js';
import { closeInheritedOnExec } from './libc.js';
import { recover } from './recovery.js';

/** Role `executor`: started by the link, outlives it, and ends by itself when it was told to retire and is idle. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'meta-dir': { type: 'string' },
      'max-runs': { type: 'string', default: '256' },
      'kill-grace-ms': { type: 'string', default: '5000' },
      'ignore-account': { type: 'boolean', default: false },
    },
  });
  const metaDir = values['meta-dir'];
  if (metaDir === undefined) throw new Error('executor: --meta-dir is missing');
  closeInheritedOnExec();
  // The terminal or session that started the agent may end: the scripts must not.
  process.on('SIGHUP', () => undefined);
  process.chdir('/');
  const instance = randomUUID();
  const log = new ExecutorLog(join(metaDir, 'executor.log'));
  const links = new Set<Socket>();
  const stopped = Promise.withResolvers<void>();
  let retiring = false;
  const executor = new Executor(
    new RunsFolder(metaDir),
    {
      instance,
      maxRuns: Number(values['max-runs']),
      killGraceMs: Number(values['kill-grace-ms']),
      ignoreAccount: values['ignore-account'],
    },
    (message) => {
      if (message.t === 'unwritable') log.write('error', message);
      for (const link of links) ring(link, message);
    },
    () => {
      if (retiring) stopped.resolve();
    },
  );
  const others = findExecutors(metaDir);
  recover(new RunsFolder(metaDir), executor, new Set(others.map((other) => other.instance)), (run, error) =>
    log.write('error', { t: 'recovery', run, why: describeError(error) }),
  );
  const server = createServer((link) => {
    const ready: ToLink = { t: 'ready', version: ibexVersion(), waiting: executor.waiting, running: executor.running };
    ring(link, ready);
    links.add(link);
    link.on('error', () => undefined);
    link.on('close', () => links.delete(link));
    onBell(link, parseToExecutor, (message) => {
      if (message.t === 'retire') retiring = true;
      executor.handle(message);
    });
  });
  process.once('SIGTERM', () => {
    log.write('info', { t: 'stopping' });
    void executor.stop().then(stopped.resolve);
  });
  const socketPath = await listen(server, metaDir, instance);
  log.write('info', { t: 'up', instance, version: ibexVersion() });
  await stopped.promise;
  server.close();
  for (const link of links) link.end();
  rmSync(join(executorFolder(metaDir), `${instance}.json`), { force: true });
  rmSync(socketPath, { force: true });
  return 0;
}

/** Listens on the instance's socket and then shows itself in the folder of executors. Returns the socket's path. */
async function listen(server: ReturnType<typeof createServer>, metaDir: string, instance: string): Promise<string> {
  const folder = executorFolder(metaDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.sock') && !findExecutors(metaDir).some((other) => name === `${other.instance}.sock`)) {
      unlinkSync(join(folder, name));
    }
  }
  using short = shortSocketPath(folder, `${instance}.sock`);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(short.path, resolve);
  });
  const entry: ExecutorEntry = {
    instance,
    pid: process.pid,
    startTime: readStat(process.pid)?.startTime ?? '',
    version: ibexVersion(),
  };
  const path = join(folder, `${instance}.json`);
  writeFileSync(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return join(folder, `${instance}.sock`);
}
