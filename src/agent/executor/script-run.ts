import { join } from 'node:path';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { Claim } from '../runs/claim.js';
import { readIdentityFile } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import type { Command } from './account.js';
import type { Launcher } from './launcher.js';
import type { LauncherPool } from './launcher-pool.js';
import { findScript, orphanEnd, readCode } from './orphan.js';
import type { OpenStream } from './ended-script.js';
import { awaitHelpers } from './output-helpers.js';
import type { RunOutput } from './run-output.js';
import { RunPipes } from './run-pipes.js';
import type { RunningScript, ScriptEnd } from './running-script.js';
import { ScriptTree } from './script-tree.js';

/** How a script is started, besides its command. */
export interface ScriptStreams {
  readonly hasStdin: boolean;
  /** false: its stdout is a pipe */
  readonly terminal: boolean;
}

/**
 * A script that this executor started. `ended` comes when the launcher has reported its exit code and every byte that it
 * wrote, also by way of helpers, has been kept; `released` when no process has its terminal, stdout or stderr open.
 */
export class ScriptRun implements RunningScript {
  readonly startedMs = Date.now();
  readonly claim: Claim;
  readonly ended: Promise<ScriptEnd>;
  readonly released: Promise<void>;
  readonly #folder: string;
  readonly #pipes: RunPipes;
  readonly #streams: readonly OpenStream[];
  readonly #launcher: Launcher;
  readonly #hasTerminal: boolean;
  readonly #terminalReleased = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<ScriptEnd>();
  readonly #giveUp = new AbortController();
  #phase: 'running' | 'exited' | 'ended' = 'running';

  /** Starts the script at once. Throws if it can't; then nothing runs. */
  constructor(
    folder: string,
    claim: Claim,
    command: Command,
    { hasStdin, terminal }: ScriptStreams,
    output: RunOutput,
    launchers: LauncherPool,
  ) {
    this.#folder = folder;
    this.claim = claim;
    this.ended = this.#end.promise;
    const launcher = launchers.take(folder, terminal);
    this.#launcher = launcher;
    this.#hasTerminal = terminal;
    let pipes: RunPipes | undefined;
    try {
      pipes = new RunPipes(folder, terminal ? ['stderr'] : ['stderr', 'stdout'], output);
      const stdin = hasStdin ? join(folder, RunFile.stdin) : '/dev/null';
      launcher.begin(
        folder,
        { ...command, stdin, terminal },
        {
          onData: (data) => output.stdout(data),
          onEnded: (code) => this.#exited(code, []),
          onReleased: this.#terminalReleased.resolve,
          onExit: () => this.#launcherGone(),
        },
      );
    } catch (error) {
      pipes?.close();
      launcher.dismiss();
      throw error;
    }
    this.#pipes = pipes;
    const { terminalPath: path } = launcher;
    const stdout: OpenStream = { name: 'stdout', path, look: () => launcher.lookAtTerminal() };
    this.#streams = terminal ? [stdout, ...pipes.streams] : pipes.streams;
    this.released = this.#release();
  }

  hasExited(): boolean {
    return this.#phase !== 'running' || readCode(this.#folder) !== undefined;
  }

  stopWaiting(): void {
    this.#giveUp.abort();
  }

  tree(): ScriptTree | undefined {
    const script = findScript(this.#folder, this.#launcher.stat);
    return script && new ScriptTree(script, this.#launcher.stat, process.pid);
  }

  launcherTree(): ScriptTree {
    return new ScriptTree(this.#launcher.stat, undefined, process.pid);
  }

  /** A launcher leaves without reporting an exit code only if it was killed; its script may go on. */
  #launcherGone(): void {
    this.#terminalReleased.resolve();
    if (this.#phase !== 'running') return;
    // The terminal hung up with the launcher, which was the leader of its session.
    const cut: readonly Stream[] = this.#hasTerminal ? ['stdout'] : [];
    void orphanEnd(this.#folder, this.#launcher.stat, this.#giveUp.signal).then((code) => this.#exited(code, cut));
  }

  #exited(code: number | undefined, cut: readonly Stream[]): void {
    if (this.#phase !== 'running') return;
    this.#phase = 'exited';
    const exitedMs = Date.now();
    const pid = (): number | undefined => readIdentityFile(join(this.#folder, RunFile.pid))?.pid;
    const ended = { streams: this.#streams, pid, startedMs: this.startedMs };
    void awaitHelpers(ended, this.#giveUp.signal).then((late) =>
      this.#finish({ code, exitedMs, cut: new Set([...cut, ...late]) }),
    );
  }

  #finish(end: ScriptEnd): void {
    this.#phase = 'ended';
    this.#launcher.allowHangUp();
    this.#pipes.release();
    this.#end.resolve(end);
  }

  async #release(): Promise<void> {
    await this.#end.promise;
    await this.#terminalReleased.promise;
    await this.#pipes.ended;
    this.#launcher.send('leave');
    this.#launcher.close();
  }
}
