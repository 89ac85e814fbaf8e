import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '../../shared/errors.js';
import { DEFAULT_KILL_GRACE_MS } from '../../shared/protocol/limits.js';
import { ibexVersion } from '../../shared/version.js';
import {
  onMessages,
  parseToExecutor,
  sendMessage,
  type ToExecutor,
  type ToLink,
  type WaitingRun,
} from '../runs/control-messages.js';
import { findExecutors } from '../runs/executor-entry.js';
import { RunsFolder } from '../runs/run-folder.js';
import { appendToRotated, JsonLog, runFields } from '../runs/json-log.js';
import { setupDigest } from '../runs/executor-setup.js';
import { ControlSocket } from './control-socket.js';
import { Executor } from './executor.js';
import { closeInheritedOnExec, redirectOutput } from './libc.js';
import { recover } from './recovery.js';
import { startLock } from './start-lock.js';

const LOG_FILE = 'executor.log';

/**
 * Role `executor`: started by the link, outlives it, and ends by itself when it is idle and was told to retire, or its
 * agent has stopped or not come back for long, or it is no longer to be found in its MetaDir. What keeps it from starting
 * goes to stderr; once it is up, its log takes that.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'meta-dir': { type: 'string' },
      'max-runs': { type: 'string', default: '256' },
      'kill-grace-ms': { type: 'string', default: String(DEFAULT_KILL_GRACE_MS) },
      'ignore-account': { type: 'boolean', default: false },
      // How long it waits, idle, for an agent that has gone without a word.
      'unattended-ms': { type: 'string', default: '300000' },
    },
  });
  const metaDir = values['meta-dir'];
  if (metaDir === undefined) throw new Error('executor: --meta-dir is missing');
  closeInheritedOnExec();
  process.chdir('/');
  const instance = randomUUID();
  const log = new JsonLog('info', appendToRotated(join(metaDir, LOG_FILE)));
  // The terminal or session that started the agent may end: the scripts must not.
  process.on('SIGHUP', () => log.info({}, 'SIGHUP changes nothing'));
  const settings = {
    maxRuns: Number(values['max-runs']),
    killGraceMs: Number(values['kill-grace-ms']),
    ignoreAccount: values['ignore-account'],
  };
  const links = new Set<Socket>();
  const stopped = Promise.withResolvers<void>();
  const waitForAgent = (): NodeJS.Timeout =>
    setTimeout(() => {
      unattended = true;
      leaveIfIdle();
    }, Number(values['unattended-ms']));
  let retiring = false;
  let unattended = false;
  let patience = waitForAgent();
  const runs = new RunsFolder(metaDir);
  const executor = new Executor(
    runs,
    { instance, ...settings },
    (message) => {
      if (message.t === 'unwritable') {
        log.error({ ...runFields(message.run), err: message.why }, 'a run cannot be recorded; trying again');
      }
      for (const link of links) sendMessage(link, message);
    },
    leaveIfIdle,
  );
  process.once('SIGTERM', () => {
    log.info({}, 'executor is stopping, and ends its scripts');
    void executor.stop().then(stopped.resolve);
  });
  await using door = await open(metaDir);
  if (!door) return 0;
  redirectOutput(join(metaDir, LOG_FILE));
  void executor.warmUp();
  log.info({ instance, version: ibexVersion() }, 'executor is up');
  await stopped.promise;
  // Found by nobody any more, before its launchers leave: a link that comes now starts another one.
  await door[Symbol.asyncDispose]();
  await executor.close();
  log.info({ instance }, 'executor leaves');
  // The end of this process closes the links.
  return 0;

  /** Resolves with undefined if another executor of this setup was quicker. */
  async function open(folder: string): Promise<ControlSocket | undefined> {
    using _lock = await startLock(folder);
    if (findExecutors(folder).some((other) => other.setup === setupDigest(other.instance, settings))) return undefined;
    takeOver(folder);
    return await ControlSocket.listen(folder, instance, setupDigest(instance, settings), onLink, () => {
      log.error({ metaDir }, 'MetaDir no longer names this executor; it leaves when its last script has ended');
      retire();
    });
  }

  function onLink(link: Socket): void {
    clearTimeout(patience);
    unattended = false;
    tellState(link);
    links.add(link);
    link.on('error', () => undefined);
    link.on('close', () => {
      if (!links.delete(link) || links.size > 0) return;
      clearTimeout(patience);
      patience = waitForAgent();
    });
    onMessages(link, parseToExecutor, (message) => handle(message, link));
  }

  function handle(message: ToExecutor, link: Socket): void {
    switch (message.t) {
      case 'retire':
        return retire();
      case 'recover':
        takeOver(metaDir ?? '');
        for (const each of links) tellState(each);
        return;
      case 'agent-stops':
        links.delete(link);
        unattended = links.size === 0;
        if (!leaveIfIdle()) link.end();
        return;
      default:
        executor.handle(message);
    }
  }

  function takeOver(folder: string): void {
    const others = findExecutors(folder).filter((other) => other.instance !== instance);
    recover(runs, executor, new Set(others.map((other) => other.instance)), (run, error) =>
      log.error({ ...runFields(run), err: describeError(error) }, 'cannot read what is left of a run'),
    );
  }

  function retire(): void {
    retiring = true;
    door?.retire();
    const released = executor.retire();
    for (const link of links) tellState(link, released);
    leaveIfIdle();
  }

  function leaveIfIdle(): boolean {
    if (!executor.idle || !(retiring || unattended)) return false;
    // From now on no run is taken, even one whose message has arrived already: the next executor gets it.
    void executor.close();
    stopped.resolve();
    return true;
  }

  function tellState(link: Socket, released: readonly WaitingRun[] = []): void {
    const { waiting: queued, running } = executor;
    const waiting = queued.map(({ run }) => run);
    const ready: ToLink = { t: 'ready', version: ibexVersion(), waiting, running, queued, released };
    for (const message of [ready, ...executor.unwritten]) sendMessage(link, message);
  }
}
