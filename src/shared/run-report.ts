import type { Fields } from './protocol/fields.js';
import { isRunReason, type RunReason } from './task-states.js';

/** What an agent reports of a run that has ended, besides its status. Times are by the agent's clock. */
export interface RunReport {
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly reason: RunReason | null;
  /** null: the script was never started */
  readonly startedMs: number | null;
  readonly endedMs: number;
  /** whole length of each stream */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** true where the agent could not keep or read a part of the stream */
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
}

/** A report of which only the end is left to say: of a script that was not started, and wrote nothing. */
export const EMPTY_REPORT: Omit<RunReport, 'endedMs'> = Object.freeze({
  exitCode: null,
  signal: null,
  reason: null,
  startedMs: null,
  stdoutBytes: 0,
  stderrBytes: 0,
  stdoutTruncated: false,
  stderrTruncated: false,
});

/** Reads a report wherever it stands: in a result frame, or in an agent's own files. Throws ProtocolError. */
export function readReport(fields: Fields): RunReport {
  const reason = fields.has('reason') ? fields.string('reason', 32) : null;
  return {
    exitCode: fields.integerOrNull('exitCode', 0, 255),
    signal: fields.integerOrNull('signal', 1, 64),
    // A reason that a later agent adds is dropped rather than refused: it only explains.
    reason: isRunReason(reason) ? reason : null,
    startedMs: fields.integerOrNull('startedMs'),
    endedMs: fields.integer('endedMs'),
    stdoutBytes: fields.integer('stdoutBytes'),
    stderrBytes: fields.integer('stderrBytes'),
    stdoutTruncated: fields.boolean('stdoutTruncated'),
    stderrTruncated: fields.boolean('stderrTruncated'),
  };
}

/** Only the report of what holds more. Field by field: a rest pattern takes twenty times as long, for every result. */
export function reportOf(result: RunReport): RunReport {
  const { exitCode, signal, reason, startedMs, endedMs, stdoutBytes, stderrBytes } = result;
  const { stdoutTruncated, stderrTruncated } = result;
  return {
    exitCode,
    signal,
    reason,
    startedMs,
    endedMs,
    stdoutBytes,
    stderrBytes,
    stdoutTruncated,
    stderrTruncated,
  };
}
