import { existsSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { STORED_TAIL_BYTES } from '../../shared/protocol/limits.js';
import type { RunKey } from '../../shared/run-key.js';
import { readOutcome, writeOutcome } from './outcome.js';
import { RunFile, type RunsFolder } from './run-folder.js';
import { readStreamEnd } from './spool-reader.js';

/** Limits of what is kept of ended runs. */
export interface RetentionLimits {
  /** output and scripts of acknowledged runs: so long … */
  readonly outputMs: number;
  /** … and at most so much, the oldest going first */
  readonly outputBytes: number;
  /** a claim, which is what keeps a run from starting again; far longer than any assignment is valid */
  readonly claimMs: number;
  /** output that no server has stored yet is cut to the part that is stored with a result beyond this age or size */
  readonly undeliveredMs: number;
  readonly undeliveredBytes: number;
}

const DAY_MS = 86_400_000;
const GIB = 1024 ** 3;
export const RETENTION: RetentionLimits = Object.freeze({
  outputMs: 7 * DAY_MS,
  outputBytes: GIB,
  claimMs: 30 * DAY_MS,
  undeliveredMs: 30 * DAY_MS,
  undeliveredBytes: 2 * GIB,
});

/** A run that has ended. */
export interface EndedRun {
  readonly run: RunKey;
  readonly endedMs: number;
  /** of its output, script and stdin */
  readonly bytes: number;
  readonly acknowledged: boolean;
}

export interface RetentionPlan {
  /** folders to remove */
  readonly remove: readonly RunKey[];
  /** folders of which only claim and outcome stay */
  readonly strip: readonly RunKey[];
  /** folders whose output is cut to the part that is stored */
  readonly cut: readonly RunKey[];
}

/** Decides what goes. Outcomes that no server has stored are never given up. */
export function planRetention(ended: readonly EndedRun[], nowMs: number, limits: RetentionLimits): RetentionPlan {
  const newestFirst = ended.toSorted((a, b) => b.endedMs - a.endedMs);
  const acknowledged = newestFirst.filter((run) => run.acknowledged);
  const old = (run: EndedRun, ageMs: number): boolean => nowMs - run.endedMs > ageMs;
  const remove = acknowledged.filter((run) => old(run, limits.claimMs));
  const strip = beyond(acknowledged, limits.outputBytes, (run) => old(run, limits.outputMs));
  const undelivered = newestFirst.filter((run) => !run.acknowledged);
  const cut = beyond(undelivered, limits.undeliveredBytes, (run) => old(run, limits.undeliveredMs));
  const keys = (runs: readonly EndedRun[]): RunKey[] => runs.map(({ run }) => run);
  return { remove: keys(remove), strip: keys(strip.filter((run) => !remove.includes(run))), cut: keys(cut) };
}

/** Selects the runs with something to give up that are too old, or lie beyond the bytes that newer ones leave. */
function beyond(newestFirst: readonly EndedRun[], mostBytes: number, tooOld: (run: EndedRun) => boolean): EndedRun[] {
  let bytes = 0;
  return newestFirst.filter((run) => {
    bytes += run.bytes;
    return run.bytes > 0 && (tooOld(run) || bytes > mostBytes);
  });
}

const KEPT_AS_TOMBSTONE: ReadonlySet<string> = new Set([RunFile.claim, RunFile.exit, RunFile.acknowledged]);
const OUTPUT_FILES = [RunFile.stdout, RunFile.stderr, RunFile.stdoutTail, RunFile.stderrTail];
const KEPT_OF_CUT: ReadonlySet<string> = new Set([...KEPT_AS_TOMBSTONE, ...OUTPUT_FILES]);

/** Size and age of an ended run's folder; undefined for one that has not ended. */
export function measureRun(runs: RunsFolder, run: RunKey): EndedRun | undefined {
  const exit = statSync(runs.file(run, RunFile.exit), { throwIfNoEntry: false });
  if (!exit) return undefined;
  const sizes = readdirSync(runs.folder(run))
    .filter((name) => !KEPT_AS_TOMBSTONE.has(name))
    .map((name) => statSync(`${runs.folder(run)}/${name}`, { throwIfNoEntry: false })?.size ?? 0);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { run, endedMs: exit.mtimeMs, bytes, acknowledged: existsSync(runs.file(run, RunFile.acknowledged)) };
}

export function stripRun(runs: RunsFolder, run: RunKey, kept = KEPT_AS_TOMBSTONE): void {
  for (const name of readdirSync(runs.folder(run))) {
    if (!kept.has(name)) rmSync(`${runs.folder(run)}/${name}`, { recursive: true, force: true });
  }
}

/** Leaves of each stream what a server would store, and says so in the outcome. */
export function cutOutput(runs: RunsFolder, run: RunKey): void {
  const outcome = readOutcome(runs, run);
  if (!outcome) return;
  const cutStream = (name: 'stdout' | 'stderr', totalBytes: number): boolean => {
    const path = runs.file(run, RunFile[name]);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= STORED_TAIL_BYTES) return false;
    writeFileSync(runs.file(run, RunFile[`${name}Tail`]), readStreamEnd(path, totalBytes, STORED_TAIL_BYTES));
    truncateSync(path, 0);
    return true;
  };
  const stdoutTruncated = cutStream('stdout', outcome.stdoutBytes) || outcome.stdoutTruncated;
  const stderrTruncated = cutStream('stderr', outcome.stderrBytes) || outcome.stderrTruncated;
  stripRun(runs, run, KEPT_OF_CUT);
  writeOutcome(runs, run, { ...outcome, stdoutTruncated, stderrTruncated });
}
