import type { Fields } from '../../shared/protocol/fields.js';
import type { RunKey } from '../../shared/run-key.js';
import { isRunOutcome, isRunReason, type RunOutcome, type RunReason } from '../../shared/task-states.js';
import { replaceDurably } from './durable.js';
import { readJsonFile } from './json-file.js';
import { RunFile, type RunsFolder } from './run-folder.js';

/** How a run ended, as kept in exit.json until a server has stored it, and after that as a tombstone. */
export interface Outcome {
  readonly taskId: number;
  readonly clock: number;
  readonly status: RunOutcome;
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly reason: RunReason | null;
  readonly startedMs: number | null;
  readonly endedMs: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
}

export function writeOutcome(runs: RunsFolder, run: RunKey, outcome: Outcome): void {
  replaceDurably(runs.file(run, RunFile.exit), JSON.stringify(outcome));
}

export function readOutcome(runs: RunsFolder, run: RunKey): Outcome | undefined {
  return readJsonFile(runs.file(run, RunFile.exit), parseOutcome);
}

export function parseOutcome(f: Fields): Outcome {
  const status = f.text('status', 16);
  if (!isRunOutcome(status)) throw new Error(`unknown status ${status}`);
  const reason = f.has('reason') ? f.text('reason', 32) : null;
  return {
    taskId: f.whole('taskId', 1),
    clock: f.whole('clock'),
    status,
    exitCode: f.wholeOrNull('exitCode', 0, 255),
    signal: f.wholeOrNull('signal', 1, 64),
    reason: isRunReason(reason) ? reason : null,
    startedMs: f.wholeOrNull('startedMs'),
    endedMs: f.whole('endedMs'),
    stdoutBytes: f.whole('stdoutBytes'),
    stderrBytes: f.whole('stderrBytes'),
    stdoutTruncated: f.flag('stdoutTruncated'),
    stderrTruncated: f.flag('stderrTruncated'),
  };
}
