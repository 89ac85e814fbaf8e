import type { RunId } from '../../shared/run-key.js';
import { EMPTY_REPORT } from '../../shared/run-report.js';
import type { RunOutcome, RunReason } from '../../shared/task-states.js';
import type { Outcome } from '../runs/outcome.js';
import type { RunOutput } from './run-output.js';

/** The outcome of a run that was claimed and never started. */
export function notRun(
  { taskId, clock }: RunId,
  status: RunOutcome,
  reason: RunReason | null,
  output: RunOutput | undefined,
): Outcome {
  return { taskId, clock, status, ...EMPTY_REPORT, reason, endedMs: Date.now(), ...output?.finish() };
}
