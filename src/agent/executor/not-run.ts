import type { RunId } from '../../shared/run-key.js';
import type { RunOutcome, RunReason } from '../../shared/task-states.js';
import type { Outcome } from '../runs/outcome.js';
import type { RunOutput } from './run-output.js';

/** The outcome of a run that was claimed and never started. */
export function notRun(
  run: RunId,
  status: RunOutcome,
  reason: RunReason | null,
  output: RunOutput | undefined,
): Outcome {
  const lengths = output?.finish() ?? {
    stdoutBytes: 0,
    stderrBytes: 0,
    stdoutTruncated: false,
    stderrTruncated: false,
  };
  const { taskId, clock } = run;
  return {
    taskId,
    clock,
    status,
    reason,
    exitCode: null,
    signal: null,
    startedMs: null,
    endedMs: Date.now(),
    ...lengths,
  };
}
