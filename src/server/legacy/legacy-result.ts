import type { ResultFrame } from '../../shared/protocol/agent-frames.js';
import { EMPTY_REPORT } from '../../shared/run-report.js';
import { RunReason, type RunOutcome } from '../../shared/task-states.js';
import type { OpenRun } from '../tasks/agent-gateway.js';
import type { FinalStatus, TrackedTask } from './tracked-task.js';
import type { ReportedTask } from './rpc-codec.js';
import { isKillClock, startClockOf } from './wire-clock.js';

/** The agents' own limits: a head of so many characters and three dots, or so many last bytes. */
const CUT_HEAD_CHARACTERS = 16_383;
const CUT_TAIL_BYTES = 65_535;
const ELLIPSIS = Buffer.from('...');

/** The result that a report's entry of an ended task means. `run`: the run of this task that is under way, whatever its clock. */
export function legacyResult(
  task: ReportedTask & { readonly status: FinalStatus },
  run: OpenRun | undefined,
  tracked: TrackedTask | undefined,
  nowMs: number,
): ResultFrame {
  const clock = startClockOf(task.clock);
  const expected = run?.clock === clock ? run : undefined;
  // A kill that no operator asked for is the end of the time that the script had.
  const overdue = isKillClock(task.clock) && expected?.status === 'running';
  const outlived = mayOutlive(task, expected);
  const notes: string[] = [];
  if (outlived) notes.push(onlySu(expected?.meta.account ?? ''));
  if (tracked && ranAnotherScript(tracked, clock)) notes.push(OTHER_SCRIPT);
  const stderr = withNotes(task.stderr, notes);
  const stdoutCut = wholeLength(task.stdout);
  const stderrCut = wholeLength(task.stderr);
  return {
    t: 'result',
    taskId: task.taskId,
    clock,
    ...EMPTY_REPORT,
    status: outcome(task.status, overdue, outlived),
    exitCode: task.status === 'success' ? 0 : null,
    // The script had ended before the kill, and no agent reports how.
    reason: task.status === 'killfailed' ? RunReason.exitUnknown : null,
    startedMs: tracked?.begunMs ?? null,
    endedMs: nowMs,
    stdoutBytes: stdoutCut.bytes,
    stderrBytes: stderrCut.bytes + stderr.length - task.stderr.length,
    stdoutTruncated: stdoutCut.truncated,
    stderrTruncated: stderrCut.truncated,
    stdout: task.stdout,
    stderr,
  };
}

/** The end of a run whose kill, or last moment of start, came before anything of it had begun. */
export function neverStartedResult({ taskId, clock, status }: OpenRun, nowMs: number): ResultFrame {
  return {
    t: 'result',
    taskId,
    clock,
    ...EMPTY_REPORT,
    status: status === 'killing' ? 'killed' : 'timeout',
    reason: RunReason.notStarted,
    endedMs: nowMs,
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
  };
}

/**
 * True for a kill that may have ended only the `su` around a script of another account: these agents start it in a
 * session of its own, where their signal does not reach, and report it as killed.
 */
export function mayOutlive(task: ReportedTask, run: OpenRun | undefined): boolean {
  const account = run?.meta.account ?? 'root';
  return task.status === 'killed' && isKillClock(task.clock) && account !== 'root' && account !== '';
}

function outcome(status: FinalStatus, overdue: boolean, outlived: boolean): RunOutcome {
  if (overdue && status !== 'success' && status !== 'failed') return 'timeout';
  return outlived ? 'killfailed' : status;
}

/** True if the agent had a script under this id without having been given one: that of another task with the same id. */
export function ranAnotherScript(task: TrackedTask, clock: number): boolean {
  return task.clock === clock && task.origin !== undefined && !task.scriptGiven && !task.cached;
}

const OTHER_SCRIPT =
  'ibex: the agent had a script under the id of this task already, of an older database, and ran that one instead\n';

function onlySu(account: string): string {
  return `ibex: this kind of agent ends only su when it kills a script of ${account}; the script may still run\n`;
}

function withNotes(stderr: Uint8Array, notes: readonly string[]): Uint8Array {
  if (notes.length === 0) return stderr;
  const newline = stderr.length === 0 || stderr.at(-1) === 0x0a ? '' : '\n';
  return Buffer.concat([stderr, Buffer.from(`${newline}${notes.join('')}`)]);
}

/** How long a stream is at least, and whether its agent has cut it. */
function wholeLength(text: Uint8Array): { readonly bytes: number; readonly truncated: boolean } {
  // Only the end is there, so one byte is missing at least.
  if (text.length === CUT_TAIL_BYTES) return { bytes: text.length + 1, truncated: true };
  return { bytes: text.length, truncated: isCutHead(text) };
}

function isCutHead(text: Uint8Array): boolean {
  if (text.length < CUT_HEAD_CHARACTERS || !ELLIPSIS.equals(text.subarray(-ELLIPSIS.length))) return false;
  let characters = 0;
  for (const byte of text) if ((byte & 0xc0) !== 0x80) characters++;
  return characters === CUT_HEAD_CHARACTERS;
}
