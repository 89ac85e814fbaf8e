import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureFolder } from '../../shared/folder.js';
import { Backoff } from '../../shared/backoff.js';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import { onMessages, parseToLink, sendMessage, type ToExecutor, type ToLink } from '../runs/control-messages.js';
import { isProcessAlive } from '../runs/process-identity.js';
import { setupDigest, type ExecutorSettings } from '../runs/executor-setup.js';
import { executorFolder, findExecutors, shortSocketPath, type ExecutorEntry } from '../runs/executor-entry.js';

export interface ExecutorsOptions {
  readonly metaDir: string;
  readonly settings: ExecutorSettings;
  /** an executor could not be reached or started, as on a full disk */
  readonly onTrouble?: () => void;
}

/** Patience with a new executor, ms. */
const START_PATIENCE_MS = 20_000;
/** Patience, when the agent stops, with an executor that is to say whether it leaves, and to leave, ms. */
const LEAVE_PATIENCE_MS = 1_500;
/** Patience with an older executor that is to say what it holds, ms. */
const OLD_PATIENCE_MS = 5_000;
/** What an executor prints when it can't start; more is cut from the front. */
const LAST_WORDS_CHARACTERS = 1_000;
const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
/** Pauses between checks whether an old executor whose connection has gone still lives, ms. */
const FIRST_LOOK_MS = 5;
const LAST_LOOK_MS = 1_000;

/**
 * The executors of this MetaDir: one that takes new runs, and older ones (of another version, with other settings or another
 * environment) that still look after scripts. Keeps the current one alive: if it dies, another is started, which takes its
 * runs over.
 */
export class Executors implements AsyncDisposable {
  readonly #options: ExecutorsOptions;
  readonly #log: Log;
  readonly #onMessage: (message: ToLink) => void;
  /** connections to those that take no new runs, by the instance at the other end */
  readonly #old = new Map<string, Socket>();
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff({ firstMs: 100, maxMs: 5_000 });
  readonly #events = new EventEmitter<{ ready: [] }>();
  #current: Socket | undefined;
  /** the current one has told which runs it holds, so it can be asked for more */
  #isReady = false;
  /** what was last said to be in the way of an executor, so that it is not said at each attempt */
  #complained = '';
  /** an old one has gone since the current one was asked to take over what others have left behind */
  #oldGone = false;

  /** `onMessage` gets the messages of all executors, 'ready' of each first. */
  constructor(options: ExecutorsOptions, log: Log, onMessage: (message: ToLink) => void) {
    this.#options = options;
    this.#log = log;
    this.#onMessage = onMessage;
  }

  /** Resolves when the current executor is ready: recovery is done, its runs are known. */
  async start(): Promise<void> {
    ensureFolder(executorFolder(this.#options.metaDir), 0o700);
    const ready = once(this.#events, 'ready', { signal: this.#stop.signal });
    void this.#keepOneCurrent();
    await ready;
  }

  /** Sends to the current executor. Where there is none, the index of run folders tells the next one. */
  send(message: ToExecutor): void {
    if (this.#current) sendMessage(this.#current, message);
  }

  sendToOld(message: ToExecutor): void {
    for (const socket of this.#old.values()) sendMessage(socket, message);
  }

  /** Disconnects from the executors. An idle one leaves before this resolves; one that has scripts goes on with them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const socket of this.#old.values()) socket.destroy();
    const current = this.#current;
    if (!current || current.closed) return;
    // Not by once(), which rejects where a connection breaks.
    const closed = new Promise((resolve) => current.once('close', resolve));
    sendMessage(current, { t: 'agent-stops' });
    await Promise.race([closed, wait(LEAVE_PATIENCE_MS, undefined, { ref: false })]);
    current.destroy();
  }

  async #keepOneCurrent(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const socket = await this.#connectAll();
        this.#backoff.reset();
        this.#complained = '';
        await once(socket, 'close', { signal: this.#stop.signal });
        this.#log.warn({}, 'the executor has gone; starting another, which takes its scripts over');
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#complain(describeError(error));
        this.#options.onTrouble?.();
      }
      this.#current = undefined;
      this.#isReady = false;
      await this.#pause(this.#backoff.nextMs());
    }
  }

  /** Once for each kind of trouble, not at every attempt. */
  #complain(err: string): void {
    if (err === this.#complained) return;
    this.#complained = err;
    this.#log.error({ err }, 'no executor can be reached or started, so no script can run; trying again');
  }

  /** Resolves after this time, and at once when this is disposed of. */
  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  /** Connects to every living executor, starts one of this setup if there is none, and returns its connection. */
  async #connectAll(): Promise<Socket> {
    const living = findExecutors(this.#options.metaDir);
    const own = living.find((entry) => this.#isOwn(entry));
    for (const entry of living) if (entry !== own && !this.#old.has(entry.instance)) await this.#reachOld(entry);
    const current = own ?? (await this.#startOne());
    const socket = await this.#connect(current, (connected) => (this.#current = connected));
    this.#isReady = true;
    this.#recoverFromOld();
    this.#events.emit('ready');
    return socket;
  }

  /** An old one that hangs or has just left keeps nobody from starting scripts; it is connected once it answers. */
  async #reachOld(entry: ExecutorEntry): Promise<void> {
    const connected = this.#connectOld(entry).catch((error: unknown) => {
      if (isProcessAlive(entry)) throw error;
    });
    connected.catch(() => undefined);
    const late = this.#pause(OLD_PATIENCE_MS).then(() => 'late' as const);
    if ((await Promise.race([connected, late])) !== 'late' || this.#stop.signal.aborted) return;
    this.#log.warn({ pid: entry.pid }, 'an older executor does not answer; new scripts start without waiting for it');
  }

  async #connectOld(entry: ExecutorEntry): Promise<void> {
    const socket = await this.#connect(entry, (connecting) => {
      this.#old.set(entry.instance, connecting);
      connecting.once('close', () => this.#old.delete(entry.instance));
    });
    socket.once('close', () => void this.#afterEndOf(entry));
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
    using short = shortSocketPath(executorFolder(this.#options.metaDir), `${entry.instance}.sock`);
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

  #isOwn({ instance, setup }: ExecutorEntry): boolean {
    return setup === setupDigest(instance, this.#options.settings);
  }

  async #startOne(): Promise<ExecutorEntry> {
    const { metaDir, settings } = this.#options;
    const options = ['--meta-dir', metaDir, '--max-runs', `${settings.maxRuns}`];
    options.push('--kill-grace-ms', `${settings.killGraceMs}`, ...(settings.ignoreAccount ? ['--ignore-account'] : []));
    const child = spawn(process.execPath, [MAIN, 'executor', ...options], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const died = once(child, 'exit');
    died.catch(() => undefined);
    let words = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => (words = `${words}${text}`.slice(-LAST_WORDS_CHARACTERS)));
    const timeout = AbortSignal.timeout(START_PATIENCE_MS);
    try {
      // It lets go of stderr when it is up, or by its end.
      await once(child.stderr, 'close', { signal: AbortSignal.any([this.#stop.signal, timeout]) });
    } catch (error) {
      if (timeout.aborted) {
        throw new Error(`the executor was not up within ${START_PATIENCE_MS / 1_000} s`, { cause: error });
      }
      // It was started for an agent that stops. This ends none of the scripts that it may have taken over by now.
      child.kill('SIGKILL');
      throw error;
    }
    // The child is taken as it is: what it has inherited may have changed here since, as by a renice.
    const entry = findExecutors(metaDir).find((candidate) => candidate.pid === child.pid || this.#isOwn(candidate));
    if (entry) {
      child.unref();
      return entry;
    }
    await died;
    throw new Error(
      words.trim() || `the executor ended at its start (${child.signalCode ?? `exit ${child.exitCode}`})`,
    );
  }
}
