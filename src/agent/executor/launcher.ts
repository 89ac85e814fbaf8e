import { randomBytes } from 'node:crypto';
import { chownSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { faultPoint } from '../runs/fault-point.js';
import { isProcessAlive, readStat, readStatLine, type ProcessStat } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import { encodeWords, LAUNCHER_ENV, LAUNCHER_WORDS, NO_RUN, READY_BYTES, type ScriptWords } from './launcher-text.js';
import { closeQuietly, makePipe, openPipe } from './libc.js';
import { Terminal, type TerminalEvents } from './terminal.js';

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
  #pipes: string;
  #events: TerminalEvents | undefined;
  #readyBytes = READY_BYTES;
  #isOver = false;

  /** `pipes`: the beginning of both pipes' paths. Throws if the launcher can't be started, and leaves nothing then. */
  constructor(pipes: string, env: Readonly<Record<string, string>>) {
    this.#pipes = pipes;
    this.exited = this.#exited.promise;
    this.settled = this.#settled.promise;
    makePipe(this.#path(RunFile.stderrPipe), 0o600);
    makePipe(this.#path(RunFile.controlPipe), 0o600);
    // This end is open before the launcher starts: a pipe that nobody has open loses what is in it.
    this.#control = openPipe(this.#path(RunFile.controlPipe));
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

  /** Moves the pipes of a ready launcher into a run's folder. */
  moveTo(folder: string): void {
    for (const name of [RunFile.stderrPipe, RunFile.controlPipe]) renameSync(this.#path(name), join(folder, name));
    this.#pipes = `${folder}/`;
  }

  /**
   * Starts a script in the folder where the pipes are. From the last line on it may run; if this throws, it never will.
   * `uid`: who is to own terminal and stderr, so that /dev/stdout and /dev/stderr open for the script's account, and for
   * no other.
   */
  begin(folder: string, words: ScriptWords, uid: number, events: TerminalEvents): void {
    const stat = readStatLine(this.stat.pid);
    if (this.#isOver || stat === undefined) throw new Error('the launcher is gone');
    // A later executor finds the launcher by this file.
    writeFileSync(join(folder, RunFile.launcher), stat, { mode: 0o600 });
    writeFileSync(join(folder, RunFile.words), encodeWords(words), { mode: 0o600 });
    if (uid !== process.getuid?.()) {
      chownSync(this.#path(RunFile.stderrPipe), uid, -1);
      this.#terminal.giveTo(uid);
    }
    this.#events = events;
    faultPoint('launcher-noted');
    this.#terminal.send(folder);
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
    rmSync(this.#path(RunFile.controlPipe), { force: true });
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
    rmSync(this.#path(RunFile.stderrPipe), { force: true });
  }

  #path(name: RunFile): string {
    return this.#pipes + name;
  }
}
