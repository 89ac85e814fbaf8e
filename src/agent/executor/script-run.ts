import { join } from 'node:path';
import type { Claim } from '../runs/claim.js';
import { RunFile } from '../runs/run-folder.js';
import type { Command } from './account.js';
import type { Launcher } from './launcher.js';
import type { LauncherPool } from './launcher-pool.js';
import { MarkerScanner } from './marker-scanner.js';
import { findScript, orphanEnd } from './orphan.js';
import type { RunOutput } from './run-output.js';
import type { RunningScript, ScriptEnd } from './running-script.js';
import { ScriptTree } from './script-tree.js';
import { StderrPipe } from './stderr-pipe.js';

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
  readonly #launcher: Launcher;
  readonly #terminalReleased = Promise.withResolvers<void>();
  readonly #stderrEnded = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<ScriptEnd>();
  #hasEnded = false;

  /** Starts the script at once. Throws if it can't; then nothing runs. */
  constructor(
    folder: string,
    claim: Claim,
    command: Command,
    hasStdin: boolean,
    output: RunOutput,
    launchers: LauncherPool,
  ) {
    this.#folder = folder;
    this.claim = claim;
    this.#output = output;
    this.ended = this.#end.promise;
    this.released = this.#release();
    const launcher = launchers.take(folder);
    this.#launcher = launcher;
    this.#scanner = new MarkerScanner(launcher.marker);
    let stderr: StderrPipe | undefined;
    try {
      stderr = new StderrPipe(
        join(folder, RunFile.stderrPipe),
        (pipe, mostBytes) => output.takeStderr(pipe, mostBytes),
        this.#stderrEnded.resolve,
      );
      const stdin = hasStdin ? join(folder, RunFile.stdin) : '/dev/null';
      launcher.begin(folder, { ...command, stdin }, command.uid, {
        onData: (data) => this.#read(data),
        onReleased: this.#terminalReleased.resolve,
        onExit: () => this.#launcherGone(),
      });
    } catch (error) {
      stderr?.close();
      launcher.dismiss();
      throw error;
    }
    this.#stderr = stderr;
  }

  tree(): ScriptTree | undefined {
    const script = findScript(this.#folder, this.#launcher.stat);
    return script && new ScriptTree(script, this.#launcher.stat, process.pid);
  }

  launcherTree(): ScriptTree {
    return new ScriptTree(this.#launcher.stat, undefined, process.pid);
  }

  #read(data: Uint8Array): void {
    if (this.#hasEnded) return;
    const scanned = this.#scanner.push(data);
    this.#output.stdout(scanned.data);
    if (scanned.code !== undefined) this.#finish({ code: scanned.code, stdoutWhole: true });
  }

  /** A launcher leaves without reporting an exit code only if it was killed; its script may go on. */
  #launcherGone(): void {
    this.#terminalReleased.resolve();
    if (this.#hasEnded) return;
    this.#output.stdout(this.#scanner.rest());
    void orphanEnd(this.#folder, this.#launcher.stat).then((code) => this.#finish({ code, stdoutWhole: false }));
  }

  #finish(end: ScriptEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stderr.drain();
    this.#stderr.release();
    this.#end.resolve(end);
    this.#launcher.send('end');
  }

  async #release(): Promise<void> {
    await this.#end.promise;
    await this.#terminalReleased.promise;
    this.#launcher.send('leave');
    await this.#stderrEnded.promise;
    this.#launcher.close();
  }
}
