import { setTimeout as wait } from 'node:timers/promises';
import type { Outcome } from '../runs/outcome.js';
import { RunOutcome, RunReason } from '../../shared/task-states.js';
import type { ProcessIdentity } from '../runs/process-identity.js';
import type { Cause, Termination } from './termination.js';
import type { RunOutput } from './run-output.js';
import type { RunningScript, ScriptEnd } from './running-script.js';
import type { ScriptTree } from './script-tree.js';
import { terminateTree } from './terminate.js';

/** The launcher reports the exit code within this time after the last of the script's processes has gone. */
const LAST_WORD_MS = 1_000;

/** A launcher that has not come to its script by then hangs before it, as in a home folder that does not answer. */
const BEGIN_PATIENCE_MS = 5_000;
const BEGIN_LOOK_MS = 5;

/** A run from its start to its outcome: the script, its output, its deadline, and its end from outside. */
export class ActiveRun {
  readonly outcome: Promise<Outcome>;
  readonly #script: RunningScript;
  readonly #output: RunOutput;
  readonly #killGraceMs: number;
  readonly #onTerminate: (termination: Termination) => void;
  readonly #deadline: NodeJS.Timeout;
  readonly #forced = Promise.withResolvers<ScriptEnd>();
  #cause: Cause | undefined;
  #gone: Promise<boolean> | undefined;

  /** `timeLeftMs`: until the run's timeout, which ends it. `onTerminate` is called before any process is asked to end. */
  constructor(
    script: RunningScript,
    output: RunOutput,
    timeLeftMs: number,
    killGraceMs: number,
    onTerminate: (termination: Termination) => void,
  ) {
    this.#script = script;
    this.#output = output;
    this.#killGraceMs = killGraceMs;
    this.#onTerminate = onTerminate;
    this.#deadline = setTimeout(() => this.terminate('timeout'), Math.max(0, timeLeftMs));
    this.outcome = this.#settle();
  }

  get output(): RunOutput {
    return this.#output;
  }

  /** Ends the script, unless it has ended by itself: then the run no longer waits for what still writes for it. */
  terminate(cause: Cause): void {
    if (this.#cause !== undefined) return;
    if (this.#script.hasExited()) this.#script.stopWaiting();
    else this.resumeTermination(cause, []);
  }

  /** Goes on with what another executor had begun. `known`: processes that it has found to belong to the script. */
  resumeTermination(cause: Cause, known: readonly ProcessIdentity[]): void {
    this.#cause = cause;
    this.#onTerminate({ cause, processes: known });
    this.#gone = this.#endProcesses(cause, known);
    void this.#forceEnd(this.#gone);
  }

  /** Resolves with false if some are left. */
  async #endProcesses(cause: Cause, known: readonly ProcessIdentity[]): Promise<boolean> {
    const tree = await this.#treeOnceThere();
    if (!tree) return true;
    tree.include(known);
    return terminateTree(tree, this.#killGraceMs, (processes) => this.#onTerminate({ cause, processes }));
  }

  /** A script that was started a moment ago is still the launcher: it must not slip through. */
  async #treeOnceThere(): Promise<ScriptTree | undefined> {
    const over = this.#script.ended.then(() => 'over' as const);
    for (const until = performance.now() + BEGIN_PATIENCE_MS; performance.now() < until;) {
      const tree = this.#script.tree();
      if (tree) return tree;
      if ((await Promise.race([over, wait(BEGIN_LOOK_MS, undefined)])) === 'over') return this.#script.tree();
    }
    // It would start the script whenever it goes on.
    return this.#script.launcherTree();
  }

  /** The launcher's word normally comes with the script's end; a launcher that was killed too never says it. */
  async #forceEnd(gone: Promise<boolean>): Promise<void> {
    await gone;
    await wait(LAST_WORD_MS, undefined, { ref: false });
    this.#script.stopWaiting();
    await wait(LAST_WORD_MS, undefined, { ref: false });
    this.#forced.resolve({ code: undefined, exitedMs: Date.now(), cut: new Set(['stdout']) });
  }

  async #settle(): Promise<Outcome> {
    const end = await Promise.race([this.#script.ended, this.#forced.promise]);
    clearTimeout(this.#deadline);
    const cause = this.#cause;
    const gone = (await this.#gone) ?? true;
    if (cause === undefined && end.begun === false)
      this.#output.explain('the agent died before the script was started or could be followed');
    else if (cause === undefined && end.code === undefined)
      this.#output.explain('the script is gone and its exit code unknown');
    const { claim, startedMs } = this.#script;
    const lengths = this.#output.finish();
    return {
      taskId: claim.taskId,
      clock: claim.clock,
      ...verdict(cause, gone, end),
      exitCode: end.code ?? null,
      signal: signalOf(end.code),
      startedMs: end.begun === false ? null : startedMs,
      endedMs: end.exitedMs,
      ...lengths,
      stdoutTruncated: lengths.stdoutTruncated || end.cut.has('stdout'),
      stderrTruncated: lengths.stderrTruncated || end.cut.has('stderr'),
    };
  }
}

function verdict(
  cause: Cause | undefined,
  gone: boolean,
  { code, begun }: ScriptEnd,
): Pick<Outcome, 'status' | 'reason'> {
  switch (cause) {
    case 'timeout':
      return { status: RunOutcome.timeout, reason: null };
    case 'kill':
      return { status: gone ? RunOutcome.killed : RunOutcome.killfailed, reason: null };
    case 'shutdown':
      return { status: gone ? RunOutcome.killed : RunOutcome.killfailed, reason: RunReason.shutdown };
    case undefined:
      if (begun === false) return { status: RunOutcome.failed, reason: RunReason.lost };
      if (code === undefined) return { status: RunOutcome.failed, reason: RunReason.exitUnknown };
      return { status: code === 0 ? RunOutcome.success : RunOutcome.failed, reason: null };
    default:
      return cause satisfies never;
  }
}

/** Decodes the shell's convention of 128 + n. A script that itself exits so looks the same. */
function signalOf(code: number | undefined): number | null {
  return code !== undefined && code > 128 && code <= 128 + 64 ? code - 128 : null;
}
