import { createHash } from 'node:crypto';
import type { RunId } from '../run-key.js';

/** A short text that differs whenever two sets of runs differ, in any order given; '0' for none. */
export function runsDigest(runs: readonly RunId[]): string {
  if (runs.length === 0) return '0';
  const names = runs.map((run) => `${run.taskId}-${run.clock}`).sort();
  return createHash('sha256').update(names.join(' ')).digest('base64url').slice(0, 16);
}
