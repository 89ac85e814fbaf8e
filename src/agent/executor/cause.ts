import { writeFileSync } from 'node:fs';
import type { RunKey } from '../../shared/run-key.js';
import { readIfThere } from '../runs/json-file.js';
import type { ProcessIdentity } from '../runs/process-identity.js';
import { RunFile, type RunsFolder } from '../runs/run-folder.js';

/** Why a script is being ended from outside; the first one counts. */
export const Cause = Object.freeze({ timeout: 'timeout', kill: 'kill', shutdown: 'shutdown' } as const);
export type Cause = (typeof Cause)[keyof typeof Cause];

/** An end from outside that has begun, and the processes that were found to belong to the script. */
export interface Termination {
  readonly cause: Cause;
  readonly processes: readonly ProcessIdentity[];
}

/**
 * Leaves word for an executor that may have to go on with it. To that one the script would look as if it had failed,
 * and children that are on their own by then as if they had never been the script's.
 */
export function noteTermination(runs: RunsFolder, run: RunKey, { cause, processes }: Termination): void {
  const lines = [cause, ...processes.map(({ pid, startTime }) => `${pid} ${startTime}`)];
  try {
    writeFileSync(runs.file(run, RunFile.cause), `${lines.join('\n')}\n`, { mode: 0o600 });
  } catch {
    // Needed only if this process dies before the outcome is told.
  }
}

/** Undefined where nobody had begun to end it. */
export function readTermination(runs: RunsFolder, run: RunKey): Termination | undefined {
  const [noted, ...lines] = readIfThere(runs.file(run, RunFile.cause))?.split('\n') ?? [];
  const cause = Object.values(Cause).find((candidate) => candidate === noted);
  if (!cause) return undefined;
  const processes = lines.flatMap((line) => {
    const match = /^(\d+) (\d+)$/.exec(line);
    return match?.[1] && match[2] ? [{ pid: Number(match[1]), startTime: match[2] }] : [];
  });
  return { cause, processes };
}
