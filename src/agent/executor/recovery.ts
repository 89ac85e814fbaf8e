import { existsSync } from 'node:fs';
import { RunOutcome, RunReason } from '../../shared/task-states.js';
import { describeError } from '../../shared/errors.js';
import { parseRunKey, type RunKey } from '../../shared/run-key.js';
import { bootId, monotonicMs } from '../runs/boot.js';
import { readClaim, type Claim } from '../runs/claim.js';
import { RunFile, type RunsFolder } from '../runs/run-folder.js';
import { AdoptedScript, findRemains } from './adopted-script.js';
import type { Executor } from './executor.js';
import { notRun } from './not-run.js';

/**
 * Takes over what a dead executor left behind. A claimed run without an outcome is adopted while its launcher or
 * script lives, ended if its exit code is on disk, and otherwise lost. It is never started again.
 * `heldElsewhere`: instances of executors that live and look after their runs themselves.
 */
export function recover(
  runs: RunsFolder,
  executor: Executor,
  heldElsewhere: ReadonlySet<string>,
  onProblem: (run: RunKey, error: unknown) => void,
): void {
  for (const run of runs.list()) {
    if (existsSync(runs.file(run, RunFile.exit))) continue;
    try {
      const claim = readClaim(runs, run);
      if (claim && !heldElsewhere.has(claim.executor)) recoverRun(runs, executor, run, claim);
    } catch (error) {
      onProblem(run, error);
      giveUp(executor, run, error);
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
  const timeLeftMs = sameBoot ? claim.claimedMonoMs + claim.timeoutMs - monotonicMs() : claim.timeoutMs;
  executor.follow(run, new AdoptedScript(folder, claim, launcher, output), output, timeLeftMs);
}

/** A folder that can't be understood is reported and closed, not thrown away: its name still says what must not start again. */
function giveUp(executor: Executor, run: RunKey, error: unknown): void {
  const id = parseRunKey(run);
  if (!id) return;
  const output = executor.outputOf(run);
  output.explain(`the agent cannot read its record of this run: ${describeError(error)}`);
  executor.settle(run, { ...notRun(id, RunOutcome.failed, RunReason.lost, output), stdoutTruncated: true }, output);
}
