import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '../../shared/errors.js';
import { DEFAULT_KILL_GRACE_MS } from '../../shared/protocol/limits.js';
import { ibexVersion } from '../../shared/version.js';
import { onMessages, parseToExecutor, sendMessage, type ToExecutor, type ToLink } from '../runs/control-messages.js';
import { findExecutors } from '../runs/executor-entry.js';
import { RunsFolder } from '../runs/run-folder.js';
import { appendToRotated, JsonLog, runFields } from '../runs/json-log.js';
import { ControlSocket } from './control-socket.js';
import { Executor } from './executor.js';
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
      'kill-grace-ms': { type: 'string', default: String(DEFAULT_KILL_GRACE_MS) },
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
  const log = new JsonLog('info', appendToRotated(join(metaDir, 'executor.log')));
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
      if (message.t === 'unwritable') {
        log.error({ ...runFields(message.run), err: message.why }, 'a run cannot be recorded; trying again');
      }
      for (const link of links) sendMessage(link, message);
    },
    () => {
      if (retiring) stopped.resolve();
    },
  );
  const takeOver = (): void => {
    const others = findExecutors(metaDir).filter((other) => other.instance !== instance);
    recover(runs, executor, new Set(others.map((other) => other.instance)), (run, error) =>
      log.error({ ...runFields(run), err: describeError(error) }, 'cannot read what is left of a run'),
    );
  };
  const tellState = (link: Socket): void => {
    const { waiting, running } = executor;
    const ready: ToLink = { t: 'ready', version: ibexVersion(), waiting, running };
    for (const message of [ready, ...executor.unwritten]) sendMessage(link, message);
  };
  const handle = (message: ToExecutor): void => {
    if (message.t === 'retire') retiring = true;
    executor.handle(message);
    if (message.t !== 'recover') return;
    takeOver();
    for (const link of links) tellState(link);
  };
  process.once('SIGTERM', () => {
    log.info({}, 'executor is stopping, and ends its scripts');
    void executor.stop().then(stopped.resolve);
  });
  await using door = await open();
  if (!door) return 0;
  void executor.warmUp();
  log.info({ instance, version: ibexVersion() }, 'executor is up');
  await stopped.promise;
  for (const link of links) link.end();
  return 0;

  /** Resolves with undefined if another executor of this version was quicker. */
  async function open(): Promise<ControlSocket | undefined> {
    using _lock = await startLock(metaDir ?? '');
    if (findExecutors(metaDir ?? '').some((other) => other.version === ibexVersion())) return undefined;
    takeOver();
    return await ControlSocket.listen(metaDir ?? '', instance, onLink, () => {
      log.error({ metaDir }, 'MetaDir no longer names this executor; it leaves when its last script has ended');
      handle({ t: 'retire' });
    });
  }

  function onLink(link: Socket): void {
    tellState(link);
    links.add(link);
    link.on('error', () => undefined);
    link.on('close', () => links.delete(link));
    onMessages(link, parseToExecutor, handle);
  }
}
