import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readIfThere } from '../runs/json-file.js';
import { isProcessAlive, readIdentityFile, type ProcessIdentity, type ProcessStat } from '../runs/process-identity.js';
import { RunFile } from '../runs/run-folder.js';
import { readProcessTable } from '../runs/process-identity.js';

const LOOK_MS = 100;
/** The launcher writes the code right after the script's end; so long is waited for it. */
const CODE_PATIENCE_LOOKS = 10;

/**
 * Waits for the end of a script whose terminal is lost, by its files and processes. Resolves with the exit code that
 * the launcher wrote, or undefined if script and launcher are gone without one, or at the signal.
 */
export async function orphanEnd(
  folder: string,
  knownLauncher: ProcessIdentity | undefined,
  signal: AbortSignal,
): Promise<number | undefined> {
  for (let withoutProcess = 0; ;) {
    const code = readCode(folder);
    if (code !== undefined) return code;
    const launcher = knownLauncher ?? readIdentityFile(join(folder, RunFile.launcher));
    const script = readIdentityFile(join(folder, RunFile.pid));
    const launcherLives = launcher !== undefined && isProcessAlive(launcher);
    const scriptLives = script !== undefined && isProcessAlive(script);
    withoutProcess = launcherLives || scriptLives ? 0 : withoutProcess + 1;
    if (withoutProcess >= CODE_PATIENCE_LOOKS || signal.aborted) return undefined;
    await wait(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The exit code in a run folder, once it is there as a whole. */
export function readCode(folder: string): number | undefined {
  const text = readIfThere(join(folder, RunFile.code));
  const match = text === undefined ? null : /^(\d{1,3})\n$/.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** The launcher of a run folder, if it lives. It was noted there before the run was given to it. */
export function findLauncher(folder: string): ProcessStat | undefined {
  const noted = readIdentityFile(join(folder, RunFile.launcher));
  return noted && isProcessAlive(noted) ? noted : undefined;
}

/** A run's script, as it noted itself; from the process table where that is not yet there, or was deleted by it. */
export function findScript(folder: string, launcher: ProcessIdentity | undefined): ProcessIdentity | undefined {
  const noted = readIdentityFile(join(folder, RunFile.pid));
  if (noted || !launcher || !isProcessAlive(launcher)) return noted;
  // A launcher's other children never lead a session.
  return readProcessTable().find(({ parent, pid, session }) => parent === launcher.pid && pid === session);
}
