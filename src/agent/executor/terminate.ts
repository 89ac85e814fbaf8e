import { setTimeout as wait } from 'node:timers/promises';
import { KILL_SWEEP_MS } from '../../shared/protocol/limits.js';
import { signalProcess, type ProcessStat } from '../runs/process-identity.js';
import { readProcessTable } from '../runs/process-identity.js';
import type { ScriptTree } from './script-tree.js';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 200;
const FREEZE_ROUNDS = 20;

/**
 * Ends a script's processes: TERM to all of them, up to `graceMs` for an orderly end, then KILL until two sweeps in a
 * row find none. Resolves with false if some are left after another 10 s. `onFound` gets all of them while they are
 * stopped and none has been asked to end.
 */
export async function terminateTree(
  tree: ScriptTree,
  graceMs: number,
  onFound: (processes: readonly ProcessStat[]) => void,
): Promise<boolean> {
  const asked = new Set<string>();
  const askOnce = (process: ProcessStat): void => {
    const name = `${process.pid} ${process.startTime}`;
    if (asked.has(name)) return;
    asked.add(name);
    signalProcess(process, 'SIGTERM');
    // A stopped process sees TERM only when it goes on.
    signalProcess(process, 'SIGCONT');
  };
  // All must be known before any dies: a child that is just leaving the session is found only by way of its parent.
  const found = freeze(tree);
  onFound(found);
  for (const process of found) askOnce(process);
  tree.signalGroup('SIGCONT');
  await sweepUntilGone(tree, graceMs, (living) => living.forEach(askOnce));
  // Also where none was seen: a process that goes on as a new one every millisecond is gone from each sweep.
  return sweepUntilGone(tree, KILL_SWEEP_MS, () => {
    const frozen = freeze(tree);
    tree.signalGroup('SIGKILL');
    for (const process of frozen) signalProcess(process, 'SIGKILL');
  });
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

/** Stops all that it can see, round by round until nobody new is found, so that a loop of forks can't stay ahead. */
function freeze(tree: ScriptTree): ProcessStat[] {
  tree.signalGroup('SIGSTOP');
  const stopped = new Set<number>();
  let living = tree.sweep(readProcessTable());
  for (let round = 0; round < FREEZE_ROUNDS; round++) {
    const moving = living.filter((process) => !stopped.has(process.pid));
    if (moving.length === 0) break;
    for (const process of moving) {
      signalProcess(process, 'SIGSTOP');
      stopped.add(process.pid);
    }
    living = tree.sweep(readProcessTable());
  }
  return living;
}
