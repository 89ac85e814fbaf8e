import type { Log } from '../../shared/log.js';
import type { RunId } from '../../shared/run-key.js';
import type { OpenRun, PulledWork } from '../tasks/agent-gateway.js';
import type { HostSession } from '../agents/host-session.js';
import type { Watch, WatchRequest, WatchSink } from '../agents/session-watches.js';
import type { ByteBudget } from './byte-budget.js';
import { AnswerDeadline } from './answer-deadline.js';
import { isAlive, type TrackedTask, type LegacyKind } from './tracked-task.js';
import { AgentState, type Beat } from './agent-state.js';
import { LegacyWatches } from './legacy-watches.js';
import type { LegacyConnection } from './legacy-connection.js';
import { ranAnotherScript } from './legacy-result.js';
import { LiveOutput } from './live-output.js';
import { ResultStorage } from './result-storage.js';
import type { MetaAnswer, Report, ReportAnswer, ReportedTask } from './rpc-codec.js';
import { RunNotes } from './run-notes.js';
import { withoutScript, scriptOf } from './script-answer.js';
import { sortReport } from './sorted-report.js';
import { startClockOf } from './wire-clock.js';
import { workList } from './work-list.js';

export interface LegacyHostParts {
  readonly work: PulledWork;
  readonly log: Log;
  /** for what running scripts have written, of all hosts */
  readonly liveBudget: ByteBudget;
  readonly serverStartMs: number;
}

/** Tasks of one agent that are looked up at the same time; of more it is done at a later beat. */
const LOOKED_UP_AT_ONCE = 64;
/** A run whose kill shows no effect for so long is no longer waited for, ms. */
const KILL_EFFECT_MS = 30_000;

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
  readonly #ledger: AgentState;
  readonly #live: LiveOutput;
  readonly #watches: LegacyWatches;
  readonly #results: ResultStorage;
  readonly #notes: RunNotes;
  #connection: LegacyConnection | undefined;
  #lastAddress = '';
  /** ids whose end the last report told: they have no process, though their end may not be stored yet */
  #ending: ReadonlySet<number> = new Set();
  #beaten = new WeakSet<LegacyConnection>();
  #lookingUp = 0;

  constructor(host: string, kind: LegacyKind, parts: LegacyHostParts) {
    this.host = host;
    this.#parts = parts;
    this.#ledger = new AgentState(kind, parts.serverStartMs);
    this.#live = new LiveOutput(parts.liveBudget);
    this.#watches = new LegacyWatches(this.#live);
    this.#results = new ResultStorage(host, parts.work, parts.log);
    this.#notes = new RunNotes(host, parts.work, parts.log);
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
    for (const held of this.#ledger.unconfirmed()) void this.#notes.taken(held);
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
    const time = new AnswerDeadline();
    const nowMs = Date.now();
    this.#attribute(connection, report.tasks, known, nowMs);
    const { alive, ended } = sortReport(report.tasks, known, this.#ledger.tasks, nowMs);
    this.#ending = new Set(ended.keys());
    this.#show(alive, known);
    this.#warnOfOldScripts(report.tasks);
    if (ended.size > 0) {
      const message = await this.#results.store([...ended.values()], known, this.#ledger.tasks, time);
      if (message !== undefined) this.#ledger.endsTold(ended.keys());
      if (this.#connection !== connection) return undefined;
      if (message !== undefined) return { message };
      for (const { taskId, clock } of ended.values()) this.#forget(taskId, startClockOf(clock));
    }
    const open = ended.size > 0 ? this.#openRuns() : known;
    if (!open) return NOT_KNOWN;
    return await this.#list({ nowMs, connection, first, alive, ended: new Set(ended.keys()) }, open, time);
  }

  /** Gives out a script, and before that notes durably that it was given: from then on the run may have begun. */
  async meta(connection: LegacyConnection, taskId: number): Promise<MetaAnswer> {
    const run = this.#wanted(taskId);
    const time = new AnswerDeadline();
    if (run) {
      this.#ledger.scriptGiven(run, connection, Date.now());
      const noted = await this.#notes.takenInTime(time, run);
      const wanted = this.#parts.work.openRuns(this.host) === undefined || this.#wanted(taskId)?.clock === run.clock;
      if (noted && wanted && connection.open) return scriptOf(run.meta);
    }
    // The agent keeps the task without ever running it. Where still wanted, it is listed again under another clock.
    this.#ledger.scriptWithheld(taskId);
    return await withoutScript(taskId, this.#parts.work, time);
  }

  /** True if it was offered this task on a connection that is gone, and may be asking for its script on a new one. */
  mayAskFor(taskId: number): boolean {
    const held = this.#ledger.tasks.get(taskId);
    const offered = held?.stage === 'offered' || (held?.stage === 'taken' && !held.process);
    return this.#connection === undefined && offered && this.#wanted(taskId) !== undefined;
  }

  #openRuns(): ReadonlyMap<number, OpenRun> | undefined {
    const open = this.#parts.work.openRuns(this.host);
    return open && new Map(open.map((run) => [run.taskId, run]));
  }

  #wanted(taskId: number): OpenRun | undefined {
    const run = this.#parts.work.openRuns(this.host)?.find((candidate) => candidate.taskId === taskId);
    if (run?.status !== 'running' || Date.now() >= run.startUntilMs) return undefined;
    // One that another kind of agent may have begun is not for this one.
    const held = this.#ledger.tasks.get(taskId);
    return run.dispatched && held?.clock !== run.clock ? undefined : run;
  }

  #show(alive: ReadonlyMap<number, ReportedTask>, open: ReadonlyMap<number, OpenRun>): void {
    for (const task of alive.values()) {
      const clock = startClockOf(task.clock);
      if (open.get(task.taskId)?.clock !== clock) continue;
      if (this.#live.update(task, clock)) this.#watches.more(task.taskId, clock);
    }
  }

  async #list(beat: Beat, open: ReadonlyMap<number, OpenRun>, time: AnswerDeadline): Promise<ReportAnswer | undefined> {
    const { begun, lost } = this.#ledger.absorb(beat, open);
    for (const run of begun) void this.#notes.taken(run);
    this.#live.retain((taskId) => this.#ledger.tasks.has(taskId));
    const { serverStartMs } = this.#parts;
    const { pushedUntilMs } = this;
    const list = workList({ ledger: this.#ledger, open: [...open.values()], beat, serverStartMs, pushedUntilMs });
    for (const run of [...lost, ...list.lost]) if (open.get(run.taskId)?.clock === run.clock) void this.#lost(run);
    for (const run of list.unstarted) void this.#notes.unstarted(run);
    for (const taskId of beat.alive.keys()) void this.#lookUp(this.#ledger.tasks.get(taskId), open);
    const dropped = list.ungated.length === 0 ? NONE : await this.#noteUngated(list.ungated, beat.connection, time);
    if (this.#connection !== beat.connection) return undefined;
    return { assign: list.assign.filter(({ taskId }) => !dropped.has(taskId)) };
  }

  /** Runs that begin as soon as they are listed are noted first. Those that may not be listed now, by id. */
  async #noteUngated(runs: readonly OpenRun[], connection: object, time: AnswerDeadline): Promise<ReadonlySet<number>> {
    const noted = await Promise.all(runs.map((run) => this.#notes.takenInTime(time, run)));
    const left = this.#connection !== connection;
    const dropped = runs.filter((run, i) => left || noted[i] !== true || this.#wanted(run.taskId)?.clock !== run.clock);
    for (const { taskId } of dropped) this.#ledger.notListed(taskId);
    return new Set(dropped.map(({ taskId }) => taskId));
  }

  /** What an agent asked for before it gave its name. */
  #attribute(
    connection: LegacyConnection,
    tasks: readonly ReportedTask[],
    open: ReadonlyMap<number, OpenRun>,
    nowMs: number,
  ): void {
    for (const [taskId, given] of connection.early) {
      const run = open.get(taskId);
      const known = this.#ledger.tasks.get(taskId)?.clock === run?.clock;
      if (!given) {
        const wireClock = tasks.find((task) => task.taskId === taskId)?.clock ?? run?.clock;
        if (wireClock !== undefined) this.#ledger.shells.add(taskId, wireClock);
      } else if (run?.status === 'running' && (!run.dispatched || known)) {
        this.#ledger.scriptGiven(run, connection, nowMs);
        void this.#notes.taken(run);
      }
    }
    connection.early.clear();
  }

  /** Scheduling is done with it, but the agent is not: what is over, or should have been killed, is killed. */
  async #lookUp(held: TrackedTask | undefined, open: ReadonlyMap<number, OpenRun>): Promise<void> {
    if (!held || held.lookedUp || open.get(held.taskId)?.clock === held.clock) return;
    if (this.#lookingUp >= LOOKED_UP_AT_ONCE) return;
    held.lookedUp = true;
    this.#lookingUp++;
    try {
      const settled = await this.#parts.work.settledRun(this.host, held);
      if (!settled) return;
      held.timeoutMs = settled.timeoutMs;
      held.killWanted ||= settled.killWanted;
    } catch {
      held.lookedUp = false;
    } finally {
      this.#lookingUp--;
    }
  }

  #warnOfOldScripts(tasks: readonly ReportedTask[]): void {
    for (const { taskId, clock } of tasks) {
      const held = this.#ledger.tasks.get(taskId);
      if (held?.stage !== 'offered' || !ranAnotherScript(held, startClockOf(clock))) continue;
      const remedy = 'set [Task] FirstId above every task id that this fleet has seen';
      this.#parts.log.error({ host: this.host, task: taskId, remedy }, 'a legacy agent ran an older script of this id');
    }
  }

  async #lost(run: RunId): Promise<void> {
    const { taskId, clock } = run;
    if (await this.#notes.lost({ taskId, clock }, this.#live.get(taskId, clock))) this.#forget(taskId, clock);
  }

  #forget(taskId: number, clock: number): void {
    this.#live.forget(taskId, clock);
    this.#watches.ended(taskId, clock);
  }
}

const NONE: ReadonlySet<number> = new Set();
const NOT_KNOWN: ReportAnswer = Object.freeze({ message: 'the server is reading its tasks, try again' });
