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
 * Records a termination for the executor that may have to finish it. Without the record the script would seem to have
 * failed, and children that live in sessions of their own by then would seem never to have been the script's.
 */
export function writeTermination(runs: RunsFolder, run: RunKey, { cause, processes }: Termination): void {
  const lines = [cause, ...processes.map(({ pid, startTime }) => `${pid} ${startTime}`)];
  try {
    writeFileSync(runs.file(run, RunFile.cause), `${lines.join('\n')}\n`, { mode: 0o600 });
  } catch {
    // The record is needed only if this process dies before it has sent the outcome.
  }
}

/** Returns undefined where nobody had begun to end the script. */
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
