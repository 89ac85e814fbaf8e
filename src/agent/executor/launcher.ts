import { chownSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { faultPoint } from '../runs/fault-point.js';
import { isProcessAlive, readStat, readStatLine, type ProcessStat } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import { encodeWords, LAUNCHER_ENV, LAUNCHER_WORDS, NO_RUN, READY, type ScriptWords } from './launcher-text.js';
import { closeQuietly, makePipe, openPipe } from './libc.js';
import type { StreamState } from './ended-script.js';
import { Terminal, type TerminalEvents } from './terminal.js';

export interface LauncherEvents extends TerminalEvents {
  /** The script has ended, and the launcher has closed the terminal. */
  onEnded(code: number): void;
}

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
  /** the launcher is gone */
  readonly exited: Promise<void>;
  /** the launcher has become ready, or is gone */
  readonly settled: Promise<void>;
  readonly #exited = Promise.withResolvers<void>();
  readonly #settled = Promise.withResolvers<void>();
  readonly #terminal: Terminal;
  readonly #control: number;
  readonly #pipes = new Map<RunFile, string>();
  readonly #reports: Socket;
  #events: LauncherEvents | undefined;
  #isReady = false;
  #isOver = false;

  /**
   * `pipes`: the beginning of its pipes' paths. `withStdout`: it can start scripts without a terminal. Throws if the
   * launcher can't be started, and leaves nothing then.
   */
  constructor(pipes: string, env: Readonly<Record<string, string>>, withStdout: boolean) {
    this.exited = this.#exited.promise;
    this.settled = this.#settled.promise;
    const { controlPipe, reportPipe, stderrPipe, stdoutPipe } = RunFile;
    const names = [controlPipe, reportPipe, stderrPipe, ...(withStdout ? [stdoutPipe] : [])];
    for (const name of names) {
      makePipe(pipes + name, 0o600);
      this.#pipes.set(name, pipes + name);
    }
    // These ends are open before the launcher starts: a pipe that nobody has open loses what is in it.
    this.#control = openPipe(pipes + controlPipe);
    this.#reports = new Socket({ fd: openPipe(pipes + reportPipe), readable: true, writable: false });
    this.#readReports();
    try {
      const events = {
        onData: (data: Uint8Array) => this.#events?.onData(data),
        onReleased: () => this.#released(),
        onExit: () => this.#exit(),
      };
      this.#terminal = new Terminal([...LAUNCHER_WORDS, pipes], { ...env, ...LAUNCHER_ENV }, events);
      const stat = readStat(this.#terminal.pid);
      if (!stat) throw new Error('the launcher died at once');
      this.stat = stat;
    } catch (error) {
      this.#removePipes();
      throw error;
    }
  }

  /** The launcher waits for a run, and will start that run's script without further preparation. */
  get ready(): boolean {
    return this.#isReady && !this.#isOver && isProcessAlive(this.stat);
  }

  /** Tells who may still write to the terminal. */
  lookAtTerminal(): StreamState {
    return this.#terminal.look();
  }

  get terminalPath(): string {
    return this.#terminal.path;
  }

  /** Moves the pipes of a ready launcher into a run's folder; that for stdout only where it will be used. */
  moveTo(folder: string, terminal: boolean): void {
    for (const [name, path] of this.#pipes) {
      if (name === RunFile.reportPipe || (name === RunFile.stdoutPipe && terminal)) continue;
      const moved = join(folder, name);
      renameSync(path, moved);
      this.#pipes.set(name, moved);
    }
  }

  /**
   * Starts a script in the folder where the pipes are. From the last line on it may run; if this throws, it never will.
   */
  begin(folder: string, { uid, terminal, ...words }: Start, events: LauncherEvents): void {
    const stat = readStatLine(this.stat.pid);
    if (this.#isOver || stat === undefined) throw new Error('the launcher is gone');
    // A later executor finds the launcher by this file.
    writeFileSync(join(folder, RunFile.launcher), stat, { mode: 0o600 });
    // The terminal by its descriptor: its number may be another terminal's once this process has died.
    const stdout = terminal ? '/proc/self/fd/1' : join(folder, RunFile.stdoutPipe);
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
    for (const name of [RunFile.stdoutPipe, RunFile.controlPipe, RunFile.reportPipe]) this.#removePipe(name);
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

  #readReports(): void {
    let pending = '';
    this.#reports.setEncoding('latin1');
    this.#reports.on('error', () => undefined);
    this.#reports.on('data', (text: string) => {
      const lines = `${pending}${text}`.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        if (line === READY) this.#ready();
        else this.#events?.onEnded(Number(line));
      }
    });
  }

  #ready(): void {
    this.#isReady = true;
    this.#settled.resolve();
    this.#removePipe(RunFile.reportPipe);
  }

  #released(): void {
    this.#isOver = true;
    this.#events?.onReleased();
  }

  #exit(): void {
    this.#isOver = true;
    this.#reports.destroy();
    this.#exited.resolve();
    this.#settled.resolve();
    this.#events?.onExit();
  }

  #removePipes(): void {
    this.#reports.destroy();
    this.close();
    this.#removePipe(RunFile.stderrPipe);
  }

  #removePipe(name: RunFile): void {
    const path = this.#pipes.get(name);
    if (path !== undefined) rmSync(path, { force: true });
  }
}
