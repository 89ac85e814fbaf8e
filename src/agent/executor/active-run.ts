import { setTimeout as wait } from 'node:timers/promises';
import type { Outcome } from '../runs/outcome.js';
import { RunOutcome, RunReason } from '../../shared/task-states.js';
import type { RunOutput } from './run-output.js';
import type { RunningScript, ScriptEnd } from './running-script.js';
import { terminateTree } from './terminate.js';

/** Why a script is being ended from outside; the first one counts. */
export type Cause = 'timeout' | 'kill' | 'shutdown';

/** So long the launcher's word is waited for once all of a script's processes are gone. */
const LAST_WORD_MS = 1_000;

/** A run from its start to its outcome: the script, its output, its deadline, and its end from outside. */
export class ActiveRun {
  readonly outcome: Promise<Outcome>;
  readonly #script: RunningScript;
  readonly #output: RunOutput;
  readonly #killGraceMs: number;
  readonly #deadline: NodeJS.Timeout;
  readonly #forced = Promise.withResolvers<ScriptEnd>();
  #cause: Cause | undefined;
  #gone: Promise<boolean> | undefined;

  /** `timeLeftMs`: until the run's timeout, which ends it. */
  constructor(script: RunningScript, output: RunOutput, timeLeftMs: number, killGraceMs: number) {
    this.#script = script;
    this.#output = output;
    this.#killGraceMs = killGraceMs;
    this.#deadline = setTimeout(() => this.terminate('timeout'), Math.max(0, timeLeftMs));
    this.outcome = this.#settle();
  }

  get output(): RunOutput {
    return this.#output;
  }

  terminate(cause: Cause): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    const tree = this.#script.tree();
    this.#gone = tree ? terminateTree(tree, this.#killGraceMs) : Promise.resolve(true);
    void this.#forceEnd(this.#gone);
  }

  /** The launcher's word normally comes with the script's end; a launcher that was killed too never says it. */
  async #forceEnd(gone: Promise<boolean>): Promise<void> {
    await gone;
    await wait(LAST_WORD_MS, undefined, { ref: false });
    this.#forced.resolve({ code: undefined, stdoutWhole: false });
  }

  async #settle(): Promise<Outcome> {
    const end = await Promise.race([this.#script.ended, this.#forced.promise]);
    clearTimeout(this.#deadline);
    const cause = this.#cause;
    const gone = (await this.#gone) ?? true;
    if (cause === undefined && end.code === undefined)
      this.#output.explain('the script is gone and its exit code unknown');
    const { claim, startedMs } = this.#script;
    const lengths = this.#output.finish();
    return {
      taskId: claim.taskId,
      clock: claim.clock,
      ...verdict(cause, gone, end.code),
      exitCode: end.code ?? null,
      signal: signalOf(end.code),
      startedMs,
      endedMs: Date.now(),
      ...lengths,
      stdoutTruncated: lengths.stdoutTruncated || !end.stdoutWhole,
    };
  }
}

function verdict(
  cause: Cause | undefined,
  gone: boolean,
  code: number | undefined,
): Pick<Outcome, 'status' | 'reason'> {
  switch (cause) {
    case 'timeout':
      return { status: RunOutcome.timeout, reason: null };
    case 'kill':
      return { status: gone ? RunOutcome.killed : RunOutcome.killfailed, reason: null };
    case 'shutdown':
      return { status: gone ? RunOutcome.killed : RunOutcome.killfailed, reason: RunReason.shutdown };
    case undefined:
      if (code === undefined) return { status: RunOutcome.failed, reason: RunReason.exitUnknown };
      return { status: code === 0 ? RunOutcome.success : RunOutcome.failed, reason: null };
    default:
      return cause satisfies never;
  }
}

/** By the shell's convention of 128 + n; a script that itself exits so looks the same. */
function signalOf(code: number | undefined): number | null {
  return code !== undefined && code > 128 && code <= 128 + 64 ? code - 128 : null;
}
