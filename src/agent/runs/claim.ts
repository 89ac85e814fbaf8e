import { rmSync } from 'node:fs';
import { errorCode } from '../../shared/errors.js';
import type { RunKey } from '../../shared/run-key.js';
import { createDurably, syncFolder } from './durable.js';
import { ensureSubfolder } from '../../shared/folder.js';
import { readJsonFile } from './json-file.js';
import { RunFile, type RunsFolder } from './run-folder.js';

/** Proof that a run was taken up, at most once in the life of this MetaDir. */
export interface Claim {
  readonly format: 1;
  readonly cluster: string;
  readonly host: string;
  readonly taskId: number;
  readonly clock: number;
  readonly bootId: string;
  /** instance of the executor that claimed it */
  readonly executor: string;
  /** the machine's wall clock, ms */
  readonly claimedMs: number;
  /** the machine's monotonic clock, ms; comparable within one boot */
  readonly claimedMonoMs: number;
  readonly timeoutMs: number;
}

/**
 * Claims a run durably. False if it had been claimed before: it must not be started then, whatever became of it.
 * Throws, and leaves no claim, if the disk refuses.
 */
export function claimRun(runs: RunsFolder, run: RunKey, claim: Claim): boolean {
  ensureSubfolder(runs.folder(run), 0o711);
  try {
    createDurably(runs.file(run, RunFile.claim), JSON.stringify(claim));
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    syncFolder(runs.path);
  } catch (error) {
    // A claim that may not survive a power cut starts nothing, and must not keep a later attempt out.
    rmSync(runs.file(run, RunFile.claim), { force: true });
    throw error;
  }
  return true;
}

export function readClaim(runs: RunsFolder, run: RunKey): Claim | undefined {
  return readJsonFile(runs.file(run, RunFile.claim), (f) => ({
    format: readFormat(f.integer('format')),
    cluster: f.name('cluster', 64),
    host: f.name('host', 256),
    taskId: f.integer('taskId', 1),
    clock: f.integer('clock'),
    bootId: f.name('bootId', 64),
    executor: f.name('executor', 64),
    claimedMs: f.integer('claimedMs'),
    claimedMonoMs: f.integer('claimedMonoMs'),
    timeoutMs: f.integer('timeoutMs', 1),
  }));
}

function readFormat(format: number): 1 {
  if (format !== 1) throw new Error(`format ${format} is newer than this program`);
  return 1;
}
