import { setTimeout as wait } from 'node:timers/promises';
import { signalProcess, type ProcessStat } from '../runs/process-identity.js';
import { readProcessTable } from './process-table.js';
import type { ScriptTree } from './script-tree.js';

/** After the last grace, so long is tried to kill what is left. */
const KILL_LIMIT_MS = 10_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 200;
const FREEZE_ROUNDS = 20;

/**
 * Ends a script's processes: TERM to all of them, up to `graceMs` for an orderly end, then KILL until two sweeps in a
 * row find none. Resolves with false if some are left after another 10 s.
 */
export async function terminateTree(tree: ScriptTree, graceMs: number): Promise<boolean> {
  const asked = new Set<string>();
  const askOnce = (process: ProcessStat): void => {
    const name = `${process.pid} ${process.startTime}`;
    if (asked.has(name)) return;
    asked.add(name);
    signalProcess(process, 'SIGTERM');
    // A stopped process sees TERM only when it goes on.
    if (process.state === 'T') signalProcess(process, 'SIGCONT');
  };
  if (await sweepUntilGone(tree, graceMs, (living) => living.forEach(askOnce))) return true;
  return sweepUntilGone(tree, KILL_LIMIT_MS, (living) => freezeAndKill(tree, living));
}

async function sweepUntilGone(
  tree: ScriptTree,
  limitMs: number,
  onSweep: (living: readonly ProcessStat[]) => void,
): Promise<boolean> {
  const until = performance.now() + limitMs;
  let empty = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5)) {
    const living = tree.sweep(readProcessTable());
    empty = living.length === 0 ? empty + 1 : 0;
    if (empty === 2) return true;
    onSweep(living);
    if (performance.now() >= until) return false;
    await wait(empty > 0 ? FIRST_PAUSE_MS : pauseMs);
  }
}

/** Stops everything it can see before it kills, round by round, so that a loop of forks can't stay ahead of the sweeps. */
function freezeAndKill(tree: ScriptTree, first: readonly ProcessStat[]): void {
  const stopped = new Set<number>();
  let living = first;
  for (let round = 0; round < FREEZE_ROUNDS; round++) {
    const moving = living.filter((process) => !stopped.has(process.pid));
    if (moving.length === 0) break;
    for (const process of moving) {
      signalProcess(process, 'SIGSTOP');
      stopped.add(process.pid);
    }
    living = tree.sweep(readProcessTable());
  }
  for (const process of living) signalProcess(process, 'SIGKILL');
}
