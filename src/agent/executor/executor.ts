import { chownSync, existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '../../shared/errors.js';
import { isSameTask, parseRunKey, type RunKey } from '../../shared/run-key.js';
import { RunOutcome, RunReason } from '../../shared/task-states.js';
import { readAssignment, type Assignment } from '../runs/assignment.js';
import type { ToExecutor, ToLink, WaitingRun } from '../runs/control-messages.js';
import { monotonicMs } from '../runs/boot.js';
import type { Claim } from '../runs/claim.js';
import type { Outcome } from '../runs/outcome.js';
import type { ExecutorSettings } from '../runs/executor-setup.js';
import { faultPoint } from '../runs/fault-point.js';
import { RunFile, type RunsFolder } from '../runs/run-folder.js';
import { commandFor } from './account.js';
import { ActiveRun } from './active-run.js';
import { Claims } from './claims.js';
import { writeTermination, readTermination } from './termination.js';
import { LauncherPool } from './launcher-pool.js';
import { notRun } from './not-run.js';
import { writePagers } from './pagers.js';
import { OutcomeWriter } from './outcome-writer.js';
import { RunOutput } from './run-output.js';
import { ScriptRun } from './script-run.js';
import { StartGate } from './start-gate.js';
import { StartQueue, type QueuedRun } from './start-queue.js';
import { terminateTree } from './terminate.js';
import type { RunningScript } from './running-script.js';

/** Patience, when this process ends, with launchers that were told to leave. */
const RELEASE_MS = 1_000;

/** The messages about a run; those about the executor itself are its process's. */
export type RunMessage = Exclude<ToExecutor, { readonly t: 'retire' | 'agent-stops' | 'recover' }>;

export interface ExecutorOptions extends ExecutorSettings {
  readonly instance: string;
}

/** Claims runs, starts their scripts, follows each to a durable outcome, and sends the link what happened, in order. */
export class Executor {
  readonly #runs: RunsFolder;
  readonly #options: ExecutorOptions;
  readonly #send: (message: ToLink) => void;
  readonly #queue = new StartQueue();
  readonly #active = new Map<RunKey, ActiveRun>();
  readonly #watched = new Set<RunKey>();
  readonly #grown = new Set<RunKey>();
  /** scripts that run, or that have ended while other processes still hold their terminal or stderr */
  readonly #held = new Set<RunningScript>();
  readonly #gate: StartGate;
  readonly #outcomes: OutcomeWriter;
  readonly #launchers: LauncherPool;
  readonly #claims: Claims;
  #stopping = false;
  readonly #onIdle: () => void;

  constructor(runs: RunsFolder, options: ExecutorOptions, send: (message: ToLink) => void, onIdle: () => void) {
    this.#runs = runs;
    this.#options = options;
    this.#send = send;
    this.#onIdle = onIdle;
    this.#launchers = new LauncherPool(runs, options.instance);
    writePagers(runs.pagers);
    this.#gate = new StartGate(runs, () => this.#startNext());
    const refused = (run: RunKey, why: string): void => send({ t: 'unwritable', run, why });
    this.#claims = new Claims(runs, options.instance, refused);
    this.#outcomes = new OutcomeWriter(runs, refused, () => {
      if (this.idle) onIdle();
    });
  }

  get instance(): string {
    return this.#options.instance;
  }

  /** Notes a run of another living executor: no other start of its task may begin before it has ended. */
  heldElsewhere(run: RunKey): void {
    this.#gate.heldElsewhere(run);
  }

  /** Tells whether this executor has the run's script or its unwritten outcome. */
  holds(run: RunKey): boolean {
    return this.#active.has(run) || this.#outcomes.has(run);
  }

  /** Outcomes that are not on the disk yet. */
  get unwritten(): readonly (ToLink & { readonly t: 'ended' })[] {
    return this.#outcomes.list().map(([run, outcome]) => ({ t: 'ended', run, outcome }));
  }

  get waiting(): readonly WaitingRun[] {
    return this.#queue.list();
  }

  get running(): readonly RunKey[] {
    return [...this.#active.keys()];
  }

  get idle(): boolean {
    return this.#active.size === 0 && this.#held.size === 0 && this.#queue.size === 0 && this.#outcomes.waiting === 0;
  }

  handle(message: RunMessage): void {
    switch (message.t) {
      case 'start':
        return this.#enqueue(message.run, message.startBeforeMonoMs);
      case 'kill':
        return this.#kill(message);
      case 'watch':
        this.#watched.add(message.run);
        // The watcher has read the spool before this moment, and was told of nothing written since.
        return this.#grew(message.run);
      case 'unwatch':
        this.#watched.delete(message.run);
        return;
      default:
        return message satisfies never;
    }
  }

  /** Prepares launchers for the first scripts, which may come before this has resolved. */
  async warmUp(): Promise<void> {
    await this.#launchers.fill();
  }

  /** Keeps no launchers ready any more, and gives back the runs that wait. */
  retire(): WaitingRun[] {
    void this.#launchers.close();
    return this.#queue.clear();
  }

  /** Starts nothing any more. Resolves when the waiting launchers are gone. */
  async close(): Promise<void> {
    this.#stopping = true;
    await this.#launchers.close();
  }

  /** Follows a script, started or adopted, to its end. A termination that a dead executor had begun goes on. */
  follow(run: RunKey, script: RunningScript, output: RunOutput, timeLeftMs: number, wasAdopted: boolean): void {
    const active = new ActiveRun(script, output, timeLeftMs, this.#options.killGraceMs, (termination) =>
      writeTermination(this.#runs, run, termination),
    );
    this.#active.set(run, active);
    this.#held.add(script);
    const begun = wasAdopted ? readTermination(this.#runs, run) : undefined;
    if (begun) active.resumeTermination(begun.cause, begun.processes);
    void this.#awaitOutcome(run, active);
    void this.#awaitRelease(script);
  }

  /** Makes the spools of a run. While the run is watched the link hears of growth, once a turn of the event loop. */
  outputOf(run: RunKey): RunOutput {
    return new RunOutput(this.#runs.folder(run), () => this.#grew(run));
  }

  /**
   * Sends an outcome and makes it durable right afterwards. In this order because the server's copy is as good: if this
   * process dies in between, its successor finds no outcome and reports that, which a server that has the true one
   * ignores. The writer tries a disk that refuses again until it takes the outcome.
   */
  settle(run: RunKey, outcome: Outcome, output: RunOutput | undefined): void {
    this.#send({ t: 'ended', run, outcome });
    this.#outcomes.add(run, outcome, output);
  }

  /**
   * Ends all scripts, orderly at first, and the processes that ended scripts have left behind. Resolves when the outcomes
   * are durable and the launchers gone.
   */
  async stop(): Promise<void> {
    const launchersGone = this.close();
    const outcomes = [...this.#active.values()].map((active) => {
      active.terminate('shutdown');
      return active.outcome;
    });
    await Promise.all(outcomes);
    this.#outcomes.flush();
    await Promise.all([...this.#held].map((script) => this.#endLeftovers(script)));
    await launchersGone;
  }

  async #endLeftovers(script: RunningScript): Promise<void> {
    const tree = script.tree();
    if (tree) await terminateTree(tree, this.#options.killGraceMs, () => undefined);
    await Promise.race([script.released, wait(RELEASE_MS, undefined, { ref: false })]);
  }

  async #awaitOutcome(run: RunKey, active: ActiveRun): Promise<void> {
    const outcome = await active.outcome;
    this.#active.delete(run);
    this.settle(run, outcome, active.output);
    this.#startNext();
    setImmediate(() => void this.#launchers.fill());
  }

  async #awaitRelease(script: RunningScript): Promise<void> {
    await script.released;
    this.#held.delete(script);
    if (this.idle) this.#onIdle();
  }

  #enqueue(run: RunKey, startBeforeMonoMs: number): void {
    if (this.#stopping || this.#active.has(run) || existsSync(this.#runs.file(run, RunFile.claim))) return;
    const assignment = this.#assignmentOf(run);
    this.#queue.add({ run, startBeforeMonoMs, assignment }, () => this.#expire(run));
    if (assignment) this.#gate.prepare(run, assignment.account);
    this.#startNext();
  }

  /** Returns undefined for an assignment that can't be read. The claim will fail of it, with the reason. */
  #assignmentOf(run: RunKey): Assignment | undefined {
    try {
      return readAssignment(this.#runs, run);
    } catch {
      return undefined;
    }
  }

  #startNext(): void {
    while (!this.#stopping && this.#active.size < this.#options.maxRuns) {
      const next = this.#queue.take((run) => this.#gate.mayStart(run, this.running));
      if (!next) return;
      if (monotonicMs() < next.startBeforeMonoMs) this.#start(next);
      else this.#expire(next.run);
    }
  }

  #start({ run, assignment: read }: QueuedRun): void {
    const held = this.#claims.claim(run, read);
    if (!held) return;
    const { claim, assignment } = held;
    const script = this.#runs.file(run, RunFile.script);
    let output: RunOutput | undefined;
    try {
      output = this.outputOf(run);
      const { ignoreAccount } = this.#options;
      const planned = commandFor({ ...assignment, script, ignoreAccount, pagers: this.#runs.pagers });
      if ('refusal' in planned) return this.#refuse(run, claim, output, RunReason.account, planned.refusal);
      // Readable by nobody but the account that runs it: scripts hold passwords.
      if (planned.command.uid !== process.getuid?.()) chownSync(script, planned.command.uid, -1);
      const hasStdin = existsSync(this.#runs.file(run, RunFile.stdin));
      const folder = this.#runs.folder(run);
      const { terminal } = assignment;
      const started = new ScriptRun(folder, claim, planned.command, { hasStdin, terminal }, output, this.#launchers);
      faultPoint('spawned');
      this.follow(run, started, output, claim.timeoutMs, false);
      this.#send({ t: 'started', run, startedMs: started.startedMs });
    } catch (error) {
      this.#refuse(run, claim, output, RunReason.spawn, `the script could not be started: ${describeError(error)}`);
    }
  }

  #refuse(run: RunKey, claim: Claim, output: RunOutput | undefined, reason: RunReason, why: string): void {
    output?.explain(why);
    this.settle(run, notRun(claim, RunOutcome.failed, reason, output), output);
  }

  /** Ends a run whose last moment of start has passed while it waited for a free place. */
  #expire(run: RunKey): void {
    const held = this.#claims.claim(run, undefined);
    if (held) this.settle(run, notRun(held.claim, RunOutcome.timeout, RunReason.notStarted, undefined), undefined);
  }

  #kill(message: ToExecutor & { readonly t: 'kill' }): void {
    const wanted = parseRunKey(message.run);
    if (!wanted) return;
    const sameTask = (run: RunKey): boolean => isSameTask(message.run, run);
    for (const run of this.#queue.keys().filter(sameTask)) {
      this.#queue.remove(run);
      const held = this.#claims.claim(run, undefined);
      if (held) this.settle(run, notRun(held.claim, RunOutcome.killed, null, undefined), undefined);
    }
    for (const [run, active] of this.#active) if (sameTask(run)) active.terminate('kill');
    if (!message.tombstone) return;
    // The kill may overtake the assignment, which may come by another way and must find the run claimed and over.
    const claim = this.#claims.writeTombstone(message.run, { ...message, ...wanted, timeoutMs: 1 });
    if (claim) this.settle(message.run, notRun(claim, RunOutcome.killed, null, undefined), undefined);
  }

  #grew(run: RunKey): void {
    if (!this.#watched.has(run)) return;
    if (this.#grown.size === 0) setImmediate(() => this.#sendGrown());
    this.#grown.add(run);
  }

  #sendGrown(): void {
    for (const run of this.#grown) this.#send({ t: 'grew', run });
    this.#grown.clear();
  }
}
