import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessStat } from '../../runs/process-identity.js';
import type { RunsFolder } from '../../runs/run-folder.js';
import { LAUNCHER_WORDS } from '../launcher-text.js';
import { readProcessTable } from '../../runs/process-identity.js';

export interface WaitingLauncher {
  readonly launcher: ProcessStat;
  /** what would become the script; undefined while it is not there yet */
  readonly starter: ProcessStat | undefined;
}

/** The launchers that were started to wait beside these run folders and live, those with a run by now included. */
export function launchersOf(runs: RunsFolder): WaitingLauncher[] {
  const waiting = join(runs.path, '.launchers/');
  const table = readProcessTable().filter(({ state }) => state !== 'Z' && state !== 'X');
  return table
    .filter(({ pid }) => commandLine(pid)[LAUNCHER_WORDS.length]?.startsWith(waiting))
    .map((launcher) => ({
      launcher,
      starter: table.find(({ parent, pid }) => parent === launcher.pid && commandLine(pid).includes('ibex-start')),
    }));
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
