import { describeError } from '../../../shared/errors.js';
import type { Log } from '../../../shared/log.js';
import type { RunId } from '../../../shared/run-key.js';
import type { OpenRun, PulledWork } from '../gateway.js';
import type { HostSession } from '../host-session.js';
import type { Watch, WatchRequest, WatchSink } from '../session-watches.js';
import type { ByteBudget } from './byte-budget.js';
import { isAlive, isFinalStatus, outputBytes, type LegacyKind } from './held-task.js';
import { HostLedger, type Beat } from './host-ledger.js';
import { LegacyWatches } from './legacy-watches.js';
import type { LegacyConnection } from './legacy-connection.js';
import { mayOutlive } from './legacy-result.js';
import { LiveOutput } from './live-output.js';
import { ResultStorage } from './result-storage.js';
import type { MetaAnswer, Report, ReportAnswer, ReportedTask } from './rpc-codec.js';
import { withoutScript, scriptOf } from './script-answer.js';
import { startClockOf } from './wire-clock.js';
import { workList } from './work-list.js';

export interface LegacyHostParts {
  readonly work: PulledWork;
  readonly log: Log;
  /** for what running scripts have written, of all hosts */
  readonly liveBudget: ByteBudget;
  readonly serverStartMs: number;
}

/** How long the answer with a script waits for the note that it was given to be durable, ms. */
const CLAIM_WITHIN_MS = 2_000;
/** A run whose kill shows no effect for so long is no longer waited for, ms. */
const KILL_EFFECT_MS = 30_000;
/** How a script looks whose `su` was killed: after so many reports without new output, or so long, that is taken as its end. */
const STEADY_REPORTS = 3;
const DYING_MS = 15_000;

/**
 * One legacy agent: what it has is known by its reports alone, and outlives its connections. The connection that
 * speaks for it is chosen by whoever owns this.
 */
export class LegacyHost implements HostSession {
  readonly host: string;
  readonly pushed = false;
  readonly hello = undefined;
  /** runs assigned before this moment may be with an agent of another kind; unix ms */
  pushedUntilMs = 0;
  readonly #parts: LegacyHostParts;
  readonly #ledger: HostLedger;
  readonly #live: LiveOutput;
  readonly #watches: LegacyWatches;
  readonly #results: ResultStorage;
  #connection: LegacyConnection | undefined;
  #lastAddress = '';
  /** ids whose end the last report told: they have no process, though their end may not be stored yet */
  #ending: ReadonlySet<number> = new Set();
  #beaten = new WeakSet<LegacyConnection>();

  constructor(host: string, kind: LegacyKind, parts: LegacyHostParts) {
    this.host = host;
    this.#parts = parts;
    this.#ledger = new HostLedger(kind);
    this.#live = new LiveOutput(parts.liveBudget);
    this.#watches = new LegacyWatches(this.#live);
    this.#results = new ResultStorage(host, parts.work, parts.log);
  }

  get connection(): LegacyConnection | undefined {
    return this.#connection;
  }

  get address(): string {
    return this.#connection?.address ?? '';
  }

  /** of its connection, or of the last one it had */
  get lastAddress(): string {
    return this.#lastAddress;
  }

  get kind(): LegacyKind {
    return this.#ledger.kind;
  }

  get ready(): boolean {
    return this.#connection !== undefined;
  }

  get heldRuns(): readonly RunId[] {
    return [...this.#ledger.tasks.values()].filter(isAlive).map(({ taskId, clock }) => ({ taskId, clock }));
  }

  /** True if it can be forgotten without harm. */
  get idle(): boolean {
    return this.#connection === undefined && this.#ledger.tasks.size === 0;
  }

  attach(connection: LegacyConnection): void {
    this.#connection = connection;
    this.#lastAddress = connection.address;
  }

  detach(): void {
    this.#connection = undefined;
    this.#watches.lose();
  }

  async probe(): Promise<boolean> {
    return this.ready;
  }

  /** Another agent gets the Host. What may have begun here unseen is noted before that one is given its work. */
  close(): void {
    for (const held of this.#ledger.unconfirmed()) this.#taken(held);
    this.#connection?.close();
  }

  // Both stand in the answer to its next report.
  assign(): void {}
  kill(): void {}

  holds({ taskId, clock }: RunId): boolean {
    const held = this.#ledger.tasks.get(taskId);
    if (!held || held.clock !== clock || !isAlive(held) || this.#ending.has(taskId)) return false;
    const sinceMs = held.killListedMs ?? (held.begunMs ?? Date.now()) + held.timeoutMs;
    return Date.now() < sinceMs + KILL_EFFECT_MS;
  }

  watch(request: WatchRequest, sink: WatchSink): Watch {
    const { taskId, clock } = request;
    const open = this.#parts.work.openRuns(this.host)?.some((run) => run.taskId === taskId && run.clock === clock);
    return this.#watches.start(request, open === true || this.holds({ taskId, clock }), sink);
  }

  /** Undefined if the connection has lost its place meanwhile. Only one at a time on a connection. */
  async beat(connection: LegacyConnection, report: Report): Promise<ReportAnswer | undefined> {
    const first = !this.#beaten.has(connection);
    this.#beaten.add(connection);
    const known = this.#openRuns();
    if (!known) return NOT_KNOWN;
    const nowMs = Date.now();
    const { alive, ended } = this.#sort(report.tasks, known, nowMs);
    this.#ending = new Set(ended.keys());
    this.#show(alive, known);
    if (ended.size > 0) {
      const message = await this.#results.store([...ended.values()], known, this.#ledger.tasks);
      if (this.#connection !== connection) return undefined;
      if (message !== undefined) return { message };
      for (const { taskId, clock } of ended.values()) this.#forget(taskId, startClockOf(clock));
    }
    const open = ended.size > 0 ? this.#openRuns() : known;
    if (!open) return NOT_KNOWN;
    for (const taskId of connection.early) this.#attribute(taskId, open, connection, nowMs);
    connection.early.clear();
    return this.#list({ nowMs, connection, first, alive, ended: new Set(ended.keys()) }, open);
  }

  /** Gives out a script, and before that notes durably that it was given: from then on the run may have begun. */
  async meta(connection: LegacyConnection, taskId: number): Promise<MetaAnswer> {
    const run = this.#wanted(taskId);
    if (!run) {
      this.#ledger.scriptWithheld(taskId);
      return withoutScript(taskId, this.#parts.work);
    }
    this.#ledger.scriptGiven(run, connection, Date.now());
    await this.#claim(run);
    if (this.#parts.work.openRuns(this.host) === undefined || this.#wanted(taskId)?.clock === run.clock) {
      return scriptOf(run.meta);
    }
    this.#ledger.scriptWithheld(taskId);
    return withoutScript(taskId, this.#parts.work);
  }

  /** The run of this task that the host was offered on a connection that is gone, unless it is known to have begun. */
  offeredBefore(taskId: number): OpenRun | undefined {
    const held = this.#ledger.tasks.get(taskId);
    const open = held?.stage === 'offered' || (held?.stage === 'taken' && !held.process);
    return open ? this.#wanted(taskId) : undefined;
  }

  #openRuns(): ReadonlyMap<number, OpenRun> | undefined {
    const open = this.#parts.work.openRuns(this.host);
    return open && new Map(open.map((run) => [run.taskId, run]));
  }

  #wanted(taskId: number): OpenRun | undefined {
    const run = this.#parts.work.openRuns(this.host)?.find((candidate) => candidate.taskId === taskId);
    if (run?.status !== 'running') return undefined;
    // One that another kind of agent may have begun is not for this one.
    const held = this.#ledger.tasks.get(taskId);
    return run.delivered && held?.clock !== run.clock ? undefined : run;
  }

  #sort(tasks: readonly ReportedTask[], open: ReadonlyMap<number, OpenRun>, nowMs: number): Sorted {
    const alive = new Map<number, ReportedTask>();
    const ended = new Map<number, ReportedTask>();
    for (const task of tasks) {
      const lives = !isFinalStatus(task.status) || this.#stillDying(task, open.get(task.taskId), nowMs);
      (lives ? alive : ended).set(task.taskId, task);
    }
    return { alive, ended };
  }

  #stillDying(task: ReportedTask, run: OpenRun | undefined, nowMs: number): boolean {
    const held = this.#ledger.tasks.get(task.taskId);
    if (!held || run?.clock !== held.clock || !mayOutlive(task, run)) return false;
    const dying = (held.dying ??= { sinceMs: nowMs, bytes: -1, steady: -1 });
    dying.steady = dying.bytes === outputBytes(task) ? dying.steady + 1 : 0;
    dying.bytes = outputBytes(task);
    return dying.steady < STEADY_REPORTS && nowMs - dying.sinceMs < DYING_MS;
  }

  #show(alive: ReadonlyMap<number, ReportedTask>, open: ReadonlyMap<number, OpenRun>): void {
    for (const task of alive.values()) {
      const clock = startClockOf(task.clock);
      if (open.get(task.taskId)?.clock !== clock) continue;
      if (this.#live.update(task, clock)) this.#watches.more(task.taskId, clock);
    }
  }

  #list(beat: Beat, open: ReadonlyMap<number, OpenRun>): ReportAnswer {
    const { begun, lost } = this.#ledger.absorb(beat, open);
    for (const run of begun) this.#taken(run);
    this.#live.retain((taskId) => this.#ledger.tasks.has(taskId));
    const { serverStartMs } = this.#parts;
    const { pushedUntilMs } = this;
    const list = workList({ ledger: this.#ledger, open: [...open.values()], beat, serverStartMs, pushedUntilMs });
    for (const run of [...lost, ...list.lost]) if (open.get(run.taskId)?.clock === run.clock) this.#lost(run);
    return { assign: list.assign };
  }

  #attribute(taskId: number, open: ReadonlyMap<number, OpenRun>, connection: LegacyConnection, nowMs: number): void {
    const run = open.get(taskId);
    const given = this.#ledger.tasks.get(taskId)?.clock === run?.clock;
    if (run?.status !== 'running' || (run.delivered && !given)) return;
    this.#ledger.scriptGiven(run, connection, nowMs);
    this.#taken(run);
  }

  async #claim(run: OpenRun): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLAIM_WITHIN_MS)));
    await Promise.race([late, this.#parts.work.runTaken(this.host, run)]).catch((error: unknown) => {
      // The agent has no use for an error: it would keep the task for ever without ever running it.
      this.#parts.log.warn({ host: this.host, task: run.taskId, err: describeError(error) }, 'a start was not noted');
    });
    clearTimeout(timer);
  }

  #taken(run: RunId): void {
    this.#parts.work.runTaken(this.host, run).catch((error: unknown) => {
      this.#parts.log.warn({ host: this.host, task: run.taskId, err: describeError(error) }, 'a start was not noted');
    });
  }

  #lost({ taskId, clock }: RunId): void {
    const told = this.#live.get(taskId, clock);
    const note =
      'ibex: lost: the agent restarted while the script ran; it may still run, or have ended with the agent\n';
    const output = { stdout: told?.stdout.toString() ?? '', stderr: `${told?.stderr.toString() ?? ''}${note}` };
    this.#parts.log.warn({ host: this.host, task: taskId }, 'a legacy agent has lost a run');
    this.#parts.work.runLost(this.host, { taskId, clock }, output).then(
      () => this.#forget(taskId, clock),
      (error: unknown) => {
        this.#parts.log.warn({ host: this.host, task: taskId, err: describeError(error) }, 'a lost run was not noted');
      },
    );
  }

  #forget(taskId: number, clock: number): void {
    this.#live.forget(taskId, clock);
    this.#watches.ended(taskId, clock);
  }
}

interface Sorted {
  readonly alive: Map<number, ReportedTask>;
  readonly ended: Map<number, ReportedTask>;
}

const NOT_KNOWN: ReportAnswer = Object.freeze({ message: 'the server is reading its tasks, try again' });
