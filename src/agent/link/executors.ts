import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, openSync, watch } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureFolder } from '../runs/durable.js';
import { Backoff } from '../../shared/backoff.js';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import { ibexVersion } from '../../shared/version.js';
import { onMessages, parseToLink, sendMessage, type ToExecutor, type ToLink } from '../runs/control-messages.js';
import { isProcessAlive } from '../runs/process-identity.js';
import { executorFolder, findExecutors, shortSocketPath, type ExecutorEntry } from '../runs/executor-entry.js';

export interface ExecutorSettings {
  readonly metaDir: string;
  readonly maxRuns: number;
  readonly killGraceMs: number;
  readonly ignoreAccount: boolean;
  /** an executor could not be reached or started, as on a full disk */
  readonly onTrouble?: () => void;
}

/** Patience with a new executor, ms. */
const START_PATIENCE_MS = 20_000;
/** Pauses between checks whether an old executor whose connection has gone still lives, ms. */
const FIRST_LOOK_MS = 5;
const LAST_LOOK_MS = 1_000;

/**
 * The executors of this MetaDir: one that takes new runs, and older ones (of a version before) that still look after
 * scripts. Keeps the current one alive: if it dies, another is started, which takes its runs over.
 */
export class Executors implements AsyncDisposable {
  readonly #settings: ExecutorSettings;
  readonly #log: Log;
  readonly #onMessage: (message: ToLink) => void;
  readonly #old = new Set<Socket>();
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff({ firstMs: 100, maxMs: 5_000 });
  readonly #events = new EventEmitter<{ ready: [] }>();
  #current: Socket | undefined;
  /** the current one has told which runs it holds, so it can be asked for more */
  #isReady = false;
  /** an old one has gone since the current one was asked to take over what others have left behind */
  #oldGone = false;

  /** `onMessage` gets the messages of all executors, 'ready' of each first. */
  constructor(settings: ExecutorSettings, log: Log, onMessage: (message: ToLink) => void) {
    this.#settings = settings;
    this.#log = log;
    this.#onMessage = onMessage;
  }

  /** Resolves when the current executor is ready: recovery is done, its runs are known. */
  async start(): Promise<void> {
    ensureFolder(executorFolder(this.#settings.metaDir), 0o700);
    const ready = once(this.#events, 'ready', { signal: this.#stop.signal });
    void this.#keepOneCurrent();
    await ready;
  }

  /** Sends to the current executor. Where there is none, the index of run folders tells the next one. */
  send(message: ToExecutor): void {
    if (this.#current) sendMessage(this.#current, message);
  }

  sendToOld(message: ToExecutor): void {
    for (const socket of this.#old) sendMessage(socket, message);
  }

  /** Disconnects from the executors; they and their scripts go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const socket of [...this.#old, ...(this.#current ? [this.#current] : [])]) socket.destroy();
    return Promise.resolve();
  }

  async #keepOneCurrent(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const socket = await this.#connectAll();
        this.#backoff.reset();
        await once(socket, 'close', { signal: this.#stop.signal });
        this.#log.warn({}, 'the executor has gone; starting another, which takes its scripts over');
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#log.error({ err: describeError(error) }, 'cannot reach or start an executor');
        this.#settings.onTrouble?.();
      }
      this.#current = undefined;
      this.#isReady = false;
      await this.#pause(this.#backoff.nextMs());
    }
  }

  /** Resolves after this time, and at once when this is disposed of. */
  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  /** Connects to every living executor, starts one of this version if there is none, and returns its connection. */
  async #connectAll(): Promise<Socket> {
    const living = findExecutors(this.#settings.metaDir);
    const own = living.find((entry) => entry.version === ibexVersion());
    for (const entry of living) if (entry !== own) await this.#connectOld(entry);
    const current = own ?? (await this.#startOne());
    const socket = await this.#connect(current, (connected) => (this.#current = connected));
    this.#isReady = true;
    this.#recoverFromOld();
    this.#events.emit('ready');
    return socket;
  }

  async #connectOld(entry: ExecutorEntry): Promise<void> {
    const socket = await this.#connect(entry, (connected) => this.#old.add(connected));
    socket.once('close', () => {
      this.#old.delete(socket);
      void this.#afterEndOf(entry);
    });
    sendMessage(socket, { t: 'retire' });
  }

  /** A process that is killed closes its sockets first, and for a moment still looks as if it held its runs. */
  async #afterEndOf(entry: ExecutorEntry): Promise<void> {
    const { signal } = this.#stop;
    for (
      let pauseMs = FIRST_LOOK_MS;
      isProcessAlive(entry) && !signal.aborted;
      pauseMs = Math.min(LAST_LOOK_MS, 1.5 * pauseMs)
    ) {
      await this.#pause(pauseMs);
    }
    this.#oldGone = true;
    this.#recoverFromOld();
  }

  /** An old one may have been killed with scripts in its hands, also after the current one had looked for such. */
  #recoverFromOld(): void {
    if (!this.#oldGone || !this.#isReady) return;
    this.#oldGone = false;
    this.send({ t: 'recover' });
  }

  /** Connects and waits for the first message. Its handler may answer at once, so `onConnected` is called before it. */
  async #connect(entry: ExecutorEntry, onConnected: (socket: Socket) => void): Promise<Socket> {
    using short = shortSocketPath(executorFolder(this.#settings.metaDir), `${entry.instance}.sock`);
    const socket = connect(short.path);
    await once(socket, 'connect', { signal: this.#stop.signal });
    // A broken connection is reported by 'close'.
    socket.on('error', () => undefined);
    onConnected(socket);
    const ready = Promise.withResolvers<void>();
    onMessages(socket, parseToLink, (message) => {
      this.#onMessage(message);
      if (message.t === 'ready') ready.resolve();
    });
    socket.once('close', () => ready.reject(new Error('the executor closed the connection at once')));
    await ready.promise;
    return socket;
  }

  async #startOne(): Promise<ExecutorEntry> {
    const { metaDir, maxRuns, killGraceMs, ignoreAccount } = this.#settings;
    const main = new URL('../../main.js', import.meta.url).pathname;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(START_PATIENCE_MS)]);
    const watcher = watch(executorFolder(metaDir), { signal });
    watcher.on('error', () => undefined);
    const crashLog = openSync(join(metaDir, 'executor.log'), 'a', 0o600);
    try {
      const options = ['--meta-dir', metaDir, '--max-runs', `${maxRuns}`, '--kill-grace-ms', `${killGraceMs}`];
      const child = spawn(
        process.execPath,
        [main, 'executor', ...options, ...(ignoreAccount ? ['--ignore-account'] : [])],
        {
          detached: true,
          stdio: ['ignore', crashLog, crashLog],
        },
      );
      child.unref();
      const died = once(child, 'exit', { signal });
      died.catch(() => undefined);
      for (;;) {
        const entry = findExecutors(metaDir).find((candidate) => candidate.pid === child.pid);
        if (entry) return entry;
        const first = await Promise.race([once(watcher, 'change', { signal }), died.then(() => 'died')]);
        if (first === 'died') throw new Error(`the executor ended at its start; see ${metaDir}/executor.log`);
      }
    } finally {
      watcher.close();
      closeSync(crashLog);
    }
  }
}
