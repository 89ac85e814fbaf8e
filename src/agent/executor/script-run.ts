import { randomBytes } from 'node:crypto';
import { chownSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Claim } from '../runs/claim.js';
import { readIdentityFile, readStat, type ProcessIdentity, type ProcessStat } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import type { Command } from './account.js';
import { LAUNCHER_ENV, LAUNCHER_WORDS } from './launcher.js';
import { closeQuietly, makePipe, openPipe } from './libc.js';
import { MarkerScanner } from './marker-scanner.js';
import { orphanEnd } from './orphan.js';
import { readProcessTable } from './process-table.js';
import type { RunOutput } from './run-output.js';
import { ScriptTree } from './script-tree.js';
import { StderrPipe } from './stderr-pipe.js';
import { openTerminal } from './terminal.js';
import type { RunningScript, ScriptEnd } from './running-script.js';

/**
 * A script on its terminal. `ended` comes with the launcher's closing word, when every byte the script wrote has been
 * kept; `released` when nothing that it left behind holds its terminal or stderr any more.
 */
export class ScriptRun implements RunningScript {
  readonly startedMs = Date.now();
  readonly claim: Claim;
  readonly ended: Promise<ScriptEnd>;
  readonly released: Promise<void>;
  readonly #folder: string;
  readonly #output: RunOutput;
  readonly #scanner: MarkerScanner;
  readonly #stderr: StderrPipe;
  readonly #control: number;
  readonly #launcher: ProcessStat | undefined;
  readonly #terminalReleased = Promise.withResolvers<void>();
  readonly #stderrEnded = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<ScriptEnd>();
  #hasEnded = false;

  /** Starts the script at once. Throws if it can't; then nothing runs. */
  constructor(folder: string, claim: Claim, command: Command, hasStdin: boolean, output: RunOutput) {
    this.#folder = folder;
    this.claim = claim;
    this.#output = output;
    this.ended = this.#end.promise;
    this.released = this.#release();
    const marker = `\x1eibex-${randomBytes(16).toString('hex')}-`;
    this.#scanner = new MarkerScanner(marker);
    const stderrPath = join(folder, RunFile.stderrPipe);
    const controlPath = join(folder, RunFile.controlPipe);
    makePipe(stderrPath, 0o600);
    makePipe(controlPath, 0o600);
    // So that /dev/stderr opens for the script's account, and for no other.
    if (command.uid !== process.getuid?.()) chownSync(stderrPath, command.uid, -1);
    this.#stderr = new StderrPipe(
      stderrPath,
      (pipe, mostBytes) => output.takeStderr(pipe, mostBytes),
      this.#stderrEnded.resolve,
    );
    this.#control = openPipe(controlPath);
    try {
      this.#launcher = readStat(this.#open(marker, command, hasStdin ? join(folder, RunFile.stdin) : '/dev/null'));
    } catch (error) {
      this.#stderr.close();
      closeQuietly(this.#control);
      throw error;
    }
  }

  #open(marker: string, command: Command, stdin: string): number {
    this.#say(marker);
    return openTerminal(
      [...LAUNCHER_WORDS, this.#folder, command.home, stdin, ...command.argv],
      { ...command.env, ...LAUNCHER_ENV },
      command.uid,
      {
        onData: (data) => this.#read(data),
        onReleased: this.#terminalReleased.resolve,
        onExit: () => this.#launcherGone(),
      },
    );
  }

  tree(): ScriptTree | undefined {
    const script = this.#script();
    return script && new ScriptTree(script, this.#launcher, process.pid);
  }

  /** The script's own process; from the process table where it has deleted the file that names it. */
  #script(): ProcessIdentity | undefined {
    const recorded = readIdentityFile(join(this.#folder, RunFile.pid));
    if (recorded) return recorded;
    const launcher = this.#launcher;
    // The launcher's other children never lead a session.
    return (
      launcher && readProcessTable().find(({ parent, pid, session }) => parent === launcher.pid && pid === session)
    );
  }

  #read(data: Uint8Array): void {
    if (this.#hasEnded) return;
    const scanned = this.#scanner.push(data);
    this.#output.stdout(scanned.data);
    if (scanned.code !== undefined) this.#finish({ code: scanned.code, stdoutWhole: true });
  }

  /** Only a launcher that was killed leaves before it has said its word; the script may go on without it. */
  #launcherGone(): void {
    this.#terminalReleased.resolve();
    if (this.#hasEnded) return;
    this.#output.stdout(this.#scanner.rest());
    void orphanEnd(this.#folder, this.#launcher).then((code) => this.#finish({ code, stdoutWhole: false }));
  }

  #finish(end: ScriptEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stderr.drain();
    this.#stderr.letGo();
    this.#end.resolve(end);
    this.#say('end');
  }

  async #release(): Promise<void> {
    await this.#end.promise;
    await this.#terminalReleased.promise;
    this.#say('leave');
    await this.#stderrEnded.promise;
    closeQuietly(this.#control);
    // Its absence tells a later executor that no launcher waits for a word.
    rmSync(join(this.#folder, RunFile.controlPipe), { force: true });
  }

  #say(word: string): void {
    try {
      writeSync(this.#control, `${word}\n`);
    } catch {
      // Its only reader is a launcher that has gone.
    }
  }
}
