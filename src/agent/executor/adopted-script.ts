import { existsSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Claim } from '../runs/claim.js';
import { isProcessAlive, readIdentityFile, type ProcessStat } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import { closeQuietly, openPipe } from './libc.js';
import { findLauncher, findScript, orphanEnd, readCode } from './orphan.js';
import type { RunOutput } from './run-output.js';
import type { RunningScript, ScriptEnd } from './running-script.js';
import { ScriptTree } from './script-tree.js';
import { StderrPipe } from './stderr-pipe.js';

/**
 * A script whose executor died. Its terminal went with it, so stdout ends there; its stderr pipe was kept open by the
 * launcher and is read on.
 */
export class AdoptedScript implements RunningScript {
  readonly claim: Claim;
  readonly startedMs: number;
  readonly ended: Promise<ScriptEnd>;
  readonly released: Promise<void>;
  readonly #folder: string;
  readonly #launcher: ProcessStat | undefined;
  readonly #control: number | undefined;

  constructor(folder: string, claim: Claim, launcher: ProcessStat | undefined, output: RunOutput) {
    this.#folder = folder;
    this.claim = claim;
    this.startedMs = claim.claimedMs;
    this.#launcher = launcher;
    const control = join(folder, RunFile.controlPipe);
    // This end stays open: a word that is written before the launcher has opened the pipe waits there for it.
    this.#control = existsSync(control) ? openPipe(control) : undefined;
    const stderrPath = join(folder, RunFile.stderrPipe);
    const stderr = existsSync(stderrPath)
      ? new StderrPipe(
          stderrPath,
          (pipe, mostBytes) => output.takeStderr(pipe, mostBytes),
          () => undefined,
        )
      : undefined;
    this.ended = this.#waitForEnd(stderr);
    this.released = this.ended.then(() => undefined);
  }

  tree(): ScriptTree | undefined {
    const script = findScript(this.#folder, this.#launcher);
    return script && new ScriptTree(script, this.#launcher, process.pid);
  }

  launcherTree(): ScriptTree | undefined {
    return this.#launcher && new ScriptTree(this.#launcher, undefined, process.pid);
  }

  async #waitForEnd(stderr: StderrPipe | undefined): Promise<ScriptEnd> {
    const code = await orphanEnd(this.#folder, this.#launcher);
    stderr?.drain();
    stderr?.close();
    this.#send('end\nleave\n');
    closeQuietly(this.#control);
    rmSync(join(this.#folder, RunFile.controlPipe), { force: true });
    return { code, stdoutWhole: false, ...(this.#hasBegun() ? {} : { begun: false }) };
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
