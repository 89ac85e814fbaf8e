import { existsSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { Claim } from '../runs/claim.js';
import { isProcessAlive, readIdentityFile, type ProcessStat } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import { closeQuietly, openPipe } from './libc.js';
import { findLauncher, findScript, orphanEnd, readCode } from './orphan.js';
import { awaitHelpers } from './output-helpers.js';
import type { RunOutput } from './run-output.js';
import { RunPipes } from './run-pipes.js';
import type { RunningScript, ScriptEnd } from './running-script.js';
import { ScriptTree } from './script-tree.js';

/**
 * A script whose executor died. Its terminal went with it, so a stdout on the terminal ends there; its pipes were kept open
 * by the launcher and are read on.
 */
export class AdoptedScript implements RunningScript {
  readonly claim: Claim;
  readonly startedMs: number;
  readonly ended: Promise<ScriptEnd>;
  readonly released: Promise<void>;
  readonly #folder: string;
  readonly #launcher: ProcessStat | undefined;
  readonly #control: number | undefined;
  readonly #pipes: RunPipes;
  readonly #giveUp = new AbortController();

  constructor(folder: string, claim: Claim, launcher: ProcessStat | undefined, output: RunOutput) {
    this.#folder = folder;
    this.claim = claim;
    this.startedMs = claim.claimedMs;
    this.#launcher = launcher;
    const control = join(folder, RunFile.controlPipe);
    // This end stays open: a word that is written before the launcher has opened the pipe waits there for it.
    this.#control = existsSync(control) ? openPipe(control) : undefined;
    const names = (['stderr', 'stdout'] as const).filter((name) => existsSync(join(folder, RunFile[`${name}Pipe`])));
    this.#pipes = new RunPipes(folder, names, output);
    this.ended = this.#waitForEnd();
    this.released = this.#release();
  }

  hasExited(): boolean {
    return readCode(this.#folder) !== undefined;
  }

  stopWaiting(): void {
    this.#giveUp.abort();
  }

  tree(): ScriptTree | undefined {
    const script = findScript(this.#folder, this.#launcher);
    return script && new ScriptTree(script, this.#launcher, process.pid);
  }

  launcherTree(): ScriptTree | undefined {
    return this.#launcher && new ScriptTree(this.#launcher, undefined, process.pid);
  }

  async #waitForEnd(): Promise<ScriptEnd> {
    const code = await orphanEnd(this.#folder, this.#launcher, this.#giveUp.signal);
    const exitedMs = Date.now();
    const { streams } = this.#pipes;
    const late = await awaitHelpers({ streams, pid: () => undefined, startedMs: this.startedMs }, this.#giveUp.signal);
    const cut = new Set<Stream>(streams.some(({ name }) => name === 'stdout') ? late : ['stdout', ...late]);
    this.#pipes.release();
    return { code, exitedMs, cut, ...(this.#hasBegun() ? {} : { begun: false }) };
  }

  async #release(): Promise<void> {
    await this.ended;
    // The launcher of an older version has its pipe open to write until it reads this.
    this.#send('end\n');
    await this.#pipes.ended;
    this.#send('leave\n');
    closeQuietly(this.#control);
    for (const name of [RunFile.controlPipe, RunFile.stdoutPipe]) rmSync(join(this.#folder, name), { force: true });
  }

  #hasBegun(): boolean {
    return [RunFile.pid, RunFile.code].some((name) => existsSync(join(this.#folder, name)));
  }

  #send(words: string): void {
    if (this.#control !== undefined) writeSync(this.#control, words);
  }
}

/** Tells the launcher of a finished run, which waits for its executor's word, to leave. */
export function dismissLauncher(folder: string): void {
  const control = join(folder, RunFile.controlPipe);
  const fd = openPipe(control);
  try {
    writeSync(fd, 'end\nleave\n');
  } finally {
    closeQuietly(fd);
  }
  rmSync(control, { force: true });
}

/** The state of a claimed run that has no outcome and no executor. */
export type Remains = { readonly alive: ProcessStat | undefined } | 'ended' | 'lost';

/** `sameBoot`: nothing of another boot can be alive. */
export function findRemains(folder: string, sameBoot: boolean): Remains {
  if (sameBoot) {
    const launcher = findLauncher(folder);
    const script = readIdentityFile(join(folder, RunFile.pid));
    if (launcher || (script && isProcessAlive(script))) return { alive: launcher };
  }
  return readCode(folder) === undefined ? 'lost' : 'ended';
}
