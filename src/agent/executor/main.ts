import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '../../shared/errors.js';
import { ibexVersion } from '../../shared/version.js';
import { onBell, parseToExecutor, ring, type ToExecutor, type ToLink } from '../runs/bell.js';
import { findExecutors } from '../runs/executor-entry.js';
import { RunsFolder } from '../runs/run-folder.js';
import { DoorBell } from './door-bell.js';
import { Executor } from './executor.js';
import { ExecutorLog } from './executor-log.js';
import { closeInheritedOnExec } from './libc.js';
import { recover } from './recovery.js';
import { startLock } from './start-lock.js';

/**
 * Role `executor`: started by the link, outlives it, and ends by itself when it is idle and was told to retire or is no
 * longer to be found in its MetaDir.
 */
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
  const runs = new RunsFolder(metaDir);
  const executor = new Executor(
    runs,
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
  const takeOver = (): void => {
    const others = findExecutors(metaDir).filter((other) => other.instance !== instance);
    recover(runs, executor, new Set(others.map((other) => other.instance)), (run, error) =>
      log.write('error', { t: 'recovery', run, why: describeError(error) }),
    );
  };
  const tellState = (link: Socket): void => {
    const { waiting, running } = executor;
    const ready: ToLink = { t: 'ready', version: ibexVersion(), waiting, running };
    for (const message of [ready, ...executor.unwritten]) ring(link, message);
  };
  const handle = (message: ToExecutor): void => {
    if (message.t === 'retire') retiring = true;
    executor.handle(message);
    if (message.t !== 'recover') return;
    takeOver();
    for (const link of links) tellState(link);
  };
  process.once('SIGTERM', () => {
    log.write('info', { t: 'stopping' });
    void executor.stop().then(stopped.resolve);
  });
  await using door = await open();
  if (!door) return 0;
  void executor.warmUp();
  log.write('info', { t: 'up', instance, version: ibexVersion() });
  await stopped.promise;
  for (const link of links) link.end();
  return 0;

  /** Undefined if another executor of this version was quicker. */
  async function open(): Promise<DoorBell | undefined> {
    using _lock = await startLock(metaDir ?? '');
    if (findExecutors(metaDir ?? '').some((other) => other.version === ibexVersion())) return undefined;
    takeOver();
    return await DoorBell.hang(metaDir ?? '', instance, onLink, () => {
      log.write('error', { t: 'gone', why: 'this executor is no longer to be found in MetaDir; leaving when idle' });
      handle({ t: 'retire' });
    });
  }

  function onLink(link: Socket): void {
    tellState(link);
    links.add(link);
    link.on('error', () => undefined);
    link.on('close', () => links.delete(link));
    onBell(link, parseToExecutor, handle);
  }
}
