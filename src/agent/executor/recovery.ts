import { existsSync, writeFileSync } from 'node:fs';
import { RunOutcome, RunReason } from '../../shared/task-states.js';
import { describeError } from '../../shared/errors.js';
import { parseRunKey, type RunKey } from '../../shared/run-key.js';
import { bootId, monotonicMs } from '../runs/boot.js';
import { readClaim, type Claim } from '../runs/claim.js';
import { readIfThere } from '../runs/json-file.js';
import { RunFile, type RunsFolder } from '../runs/run-folder.js';
import { AdoptedScript, dismissLauncher, findRemains } from './adopted-script.js';
import type { Executor } from './executor.js';
import { removeDeadLaunchers } from './launcher-pool.js';
import { notRun } from './not-run.js';

/**
 * Takes over what dead executors left behind. A claimed run without an outcome is adopted while its launcher or
 * script lives, ended if its exit code is on disk, and otherwise lost. It is never started again.
 * `heldElsewhere`: instances of other executors that live and look after their runs themselves.
 */
export function recover(
  runs: RunsFolder,
  executor: Executor,
  heldElsewhere: ReadonlySet<string>,
  onProblem: (run: RunKey, error: unknown) => void,
): void {
  removeDeadLaunchers(runs, new Set([...heldElsewhere, executor.instance]));
  for (const run of runs.list()) {
    const isOver = existsSync(runs.file(run, RunFile.exit));
    if (isOver && !existsSync(runs.file(run, RunFile.controlPipe))) continue;
    if (executor.holds(run)) continue;
    try {
      const claim = readClaim(runs, run);
      const holder = claim && holderOf(runs, run, claim);
      if (!claim || holder === undefined || holder === executor.instance) continue;
      if (heldElsewhere.has(holder)) {
        if (!isOver) executor.heldElsewhere(run);
        continue;
      }
      if (isOver) dismissLauncher(runs.folder(run));
      else recoverRun(runs, executor, run, claim);
    } catch (error) {
      onProblem(run, error);
      // Another executor that lives may be writing this claim now; the link asks for a recovery when that one has left.
      if (!isOver && heldElsewhere.size === 0) giveUp(executor, run, error);
    }
  }
}

function recoverRun(runs: RunsFolder, executor: Executor, run: RunKey, claim: Claim): void {
  const folder = runs.folder(run);
  const sameBoot = claim.bootId === bootId();
  const remains = findRemains(folder, sameBoot);
  const output = executor.outputOf(run);
  if (remains === 'lost') {
    output.explain(
      sameBoot ? 'the agent died before the script was started or could be followed' : 'the machine was restarted',
    );
    executor.settle(
      run,
      { ...notRun(claim, RunOutcome.failed, RunReason.lost, output), stdoutTruncated: true },
      output,
    );
    return;
  }
  const launcher = remains === 'ended' ? undefined : remains.alive;
  writeAdopter(runs, run, executor.instance);
  const timeLeftMs = sameBoot ? claim.claimedMonoMs + claim.timeoutMs - monotonicMs() : claim.timeoutMs;
  executor.follow(run, new AdoptedScript(folder, claim, launcher, output), output, timeLeftMs, true);
}

function holderOf(runs: RunsFolder, run: RunKey, claim: Claim): string {
  return readIfThere(runs.file(run, RunFile.adopter)) ?? claim.executor;
}

function writeAdopter(runs: RunsFolder, run: RunKey, instance: string): void {
  try {
    writeFileSync(runs.file(run, RunFile.adopter), instance, { mode: 0o600 });
  } catch {
    // Needed only if a third executor comes while this one lives.
  }
}

/** A folder that can't be understood is reported and closed, not thrown away: its name still says what must not start again. */
function giveUp(executor: Executor, run: RunKey, error: unknown): void {
  const id = parseRunKey(run);
  if (!id) return;
  const output = executor.outputOf(run);
  output.explain(`the agent cannot read its record of this run: ${describeError(error)}`);
  executor.settle(run, { ...notRun(id, RunOutcome.failed, RunReason.lost, output), stdoutTruncated: true }, output);
}
