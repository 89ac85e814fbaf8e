import { writeFileSync } from 'node:fs';
import type { RunKey } from '../../shared/run-key.js';
import { ensureSubfolder } from '../../shared/folder.js';
import { readJsonFile } from './json-file.js';
import { RunFile, type RunsFolder } from './run-folder.js';

/** A run's assignment, except for its script and stdin, which are files of their own. */
export interface Assignment {
  readonly cluster: string;
  readonly host: string;
  readonly taskId: number;
  readonly clock: number;
  readonly account: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** false: the script's stdout is a pipe */
  readonly terminal: boolean;
}

/**
 * Writes a new run folder for the executor to claim. Nothing is synced: until the claim exists the run has not begun,
 * and a folder that a power cut left incomplete has no claim either.
 */
export function writeAssignment(
  runs: RunsFolder,
  run: RunKey,
  assignment: Assignment,
  script: string,
  stdin: string,
): void {
  // Accounts other than root must reach the script inside: x for all, no listing.
  ensureSubfolder(runs.folder(run), 0o711);
  writeFileSync(runs.file(run, RunFile.script), script, { mode: 0o700 });
  if (stdin !== '') writeFileSync(runs.file(run, RunFile.stdin), stdin, { mode: 0o600 });
  writeFileSync(runs.file(run, RunFile.assignment), JSON.stringify(assignment), { mode: 0o600 });
}

export function readAssignment(runs: RunsFolder, run: RunKey): Assignment | undefined {
  return readJsonFile(runs.file(run, RunFile.assignment), (f) => ({
    cluster: f.name('cluster', 64),
    host: f.name('host', 256),
    taskId: f.integer('taskId', 1),
    clock: f.integer('clock'),
    account: f.name('account', 64),
    args: f.strings('args', 1_024, 4_096),
    timeoutMs: f.integer('timeoutMs', 1),
    // An agent of before has written none.
    terminal: f.has('terminal') ? f.boolean('terminal') : true,
  }));
}
