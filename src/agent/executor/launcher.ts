import { randomBytes } from 'node:crypto';
import { chownSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { faultPoint } from '../runs/fault-point.js';
import { isProcessAlive, readStat, readStatLine, type ProcessStat } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import { encodeWords, LAUNCHER_ENV, LAUNCHER_WORDS, NO_RUN, READY_BYTES, type ScriptWords } from './launcher-text.js';
import { closeQuietly, makePipe, openPipe, readLink } from './libc.js';
import type { StreamState } from './ended-script.js';
import { Terminal, type TerminalEvents } from './terminal.js';

/** What a launcher starts, and for whom. */
export interface Start extends Omit<ScriptWords, 'stdout'> {
  /** The owner of the script's streams, so that /dev/stdout and /dev/stderr open for its account, and for no other. */
  readonly uid: number;
  /** false: its stdout is a pipe */
  readonly terminal: boolean;
}

/**
 * A launcher on its terminal, which first waits for a run and then starts its script. A run may be given to it at once;
 * its pipes may be moved only once it is ready.
 */
export class Launcher {
  readonly stat: ProcessStat;
  /** the launcher prints this after the script's last byte; random, so that no script prints it by chance */
  readonly marker = `\x1eibex-${randomBytes(16).toString('hex')}-`;
  /** the launcher is gone */
  readonly exited: Promise<void>;
  /** the launcher has become ready, or is gone */
  readonly settled: Promise<void>;
  readonly #exited = Promise.withResolvers<void>();
  readonly #settled = Promise.withResolvers<void>();
  readonly #terminal: Terminal;
  readonly #control: number;
  readonly #pipes = new Map<RunFile, string>();
  #events: TerminalEvents | undefined;
  #readyBytes = READY_BYTES;
  #isOver = false;

  /**
   * `pipes`: the beginning of its pipes' paths. `withStdout`: it can start scripts without a terminal. Throws if the
   * launcher can't be started, and leaves nothing then.
   */
  constructor(pipes: string, env: Readonly<Record<string, string>>, withStdout: boolean) {
    this.exited = this.#exited.promise;
    this.settled = this.#settled.promise;
    const names = [RunFile.stderrPipe, RunFile.controlPipe, ...(withStdout ? [RunFile.stdoutPipe] : [])];
    for (const name of names) {
      makePipe(pipes + name, 0o600);
      this.#pipes.set(name, pipes + name);
    }
    // This end is open before the launcher starts: a pipe that nobody has open loses what is in it.
    this.#control = openPipe(pipes + RunFile.controlPipe);
    try {
      const events = {
        onData: (data: Uint8Array) => this.#read(data),
        onReleased: () => this.#released(),
        onExit: () => this.#exit(),
      };
      this.#terminal = new Terminal([...LAUNCHER_WORDS, pipes], { ...env, ...LAUNCHER_ENV }, events);
      const stat = readStat(this.#terminal.pid);
      if (!stat) throw new Error('the launcher died at once');
      this.stat = stat;
      this.#terminal.send(this.marker);
    } catch (error) {
      this.#removePipes();
      throw error;
    }
  }

  /** The launcher waits for a run, and will start that run's script without further preparation. */
  get ready(): boolean {
    return this.#readyBytes === 0 && !this.#isOver && isProcessAlive(this.stat);
  }

  /** Who may still write to the terminal, once it may hang up. */
  get terminalState(): StreamState {
    const { state } = this.#terminal;
    if (state === 'over') return state;
    // The launcher itself closes it a moment after it has printed the marker.
    return readLink(`/proc/${this.stat.pid}/fd/1`) === this.#terminal.path ? 'closing' : state;
  }

  get terminalPath(): string {
    return this.#terminal.path;
  }

  /** Moves the pipes of a ready launcher into a run's folder; that for stdout only where it will be used. */
  moveTo(folder: string, terminal: boolean): void {
    for (const [name, path] of this.#pipes) {
      if (name === RunFile.stdoutPipe && terminal) continue;
      const moved = join(folder, name);
      renameSync(path, moved);
      this.#pipes.set(name, moved);
    }
  }

  /**
   * Starts a script in the folder where the pipes are. From the last line on it may run; if this throws, it never will.
   */
  begin(folder: string, { uid, terminal, ...words }: Start, events: TerminalEvents): void {
    const stat = readStatLine(this.stat.pid);
    if (this.#isOver || stat === undefined) throw new Error('the launcher is gone');
    // A later executor finds the launcher by this file.
    writeFileSync(join(folder, RunFile.launcher), stat, { mode: 0o600 });
    const stdout = terminal ? this.#terminal.path : join(folder, RunFile.stdoutPipe);
    writeFileSync(join(folder, RunFile.words), encodeWords({ ...words, stdout }), { mode: 0o600 });
    if (uid !== process.getuid?.()) {
      chownSync(join(folder, RunFile.stderrPipe), uid, -1);
      if (terminal) this.#terminal.giveTo(uid);
      else chownSync(stdout, uid, -1);
    }
    this.#events = events;
    faultPoint('launcher-noted');
    this.#terminal.send(folder);
  }

  /** Lets the terminal go once the last process that has it open has closed it. */
  allowHangUp(): void {
    this.#terminal.allowHangUp();
  }

  /** Sends a word to a launcher whose script has ended. */
  send(word: string): void {
    try {
      writeSync(this.#control, `${word}\n`);
    } catch {
      // The only reader of the pipe, the launcher, has gone.
    }
  }

  /** Ends the conversation. A later executor sees by the missing pipe that no launcher waits for a word. */
  close(): void {
    closeQuietly(this.#control);
    for (const name of [RunFile.stdoutPipe, RunFile.controlPipe]) this.#removePipe(name);
  }

  /** Sends a launcher away that was given no run. Its pipes stay until it has gone: it may be about to open them. */
  dismiss(): void {
    try {
      this.#terminal.send(NO_RUN);
    } catch {
      // The launcher has left or is leaving.
    }
    void this.exited.then(() => this.#removePipes());
  }

  #read(data: Uint8Array): void {
    const own = Math.min(this.#readyBytes, data.length);
    this.#readyBytes -= own;
    if (this.#readyBytes === 0) this.#settled.resolve();
    if (data.length > own) this.#events?.onData(data.subarray(own));
  }

  #released(): void {
    this.#isOver = true;
    this.#events?.onReleased();
  }

  #exit(): void {
    this.#isOver = true;
    this.#exited.resolve();
    this.#settled.resolve();
    this.#events?.onExit();
  }

  #removePipes(): void {
    this.close();
    this.#removePipe(RunFile.stderrPipe);
  }

  #removePipe(name: RunFile): void {
    const path = this.#pipes.get(name);
    if (path !== undefined) rmSync(path, { force: true });
  }
}
