import type { Log } from '../../shared/log.js';
import type { RunId } from '../../shared/run-key.js';
import type { HostSession } from '../agents/host-session.js';
import type { Watch, WatchRequest, WatchSink } from '../agents/session-watches.js';
import type { OpenRun, PulledWork } from '../tasks/agent-gateway.js';
import { agentState, changed, type AgentDraft, type AgentState } from './agent-state.js';
import { AnswerDeadline } from './answer-deadline.js';
import { sortReport, type Beat } from './beat.js';
import type { ByteBudget } from './byte-budget.js';
import type { LegacyConnection } from './legacy-connection.js';
import { ranAnotherScript } from './legacy-result.js';
import { LegacyWatches } from './legacy-watches.js';
import { LiveOutput } from './live-output.js';
import { reduceReport } from './reduce-report.js';
import { ResultStorage } from './result-storage.js';
import type { MetaAnswer, Report, ReportAnswer, ReportedTask } from './rpc-codec.js';
import { RunNotes } from './run-notes.js';
import { scriptOf, withoutScript } from './script-answer.js';
import { mayRun, type LegacyKind, type TrackedTask } from './tracked-task.js';
import { startClockOf } from './wire-clock.js';

export interface LegacyHostParts {
  readonly work: PulledWork;
  readonly log: Log;
  /** unix ms */
  readonly nowMs: () => number;
  /** for the output of running scripts, of all hosts */
  readonly liveBudget: ByteBudget;
  /** unix ms */
  readonly serverStartMs: number;
}

/** The interval of both kinds of agents, unless they are told another one. */
const DEFAULT_BEAT_MS = 1_000;
/** Tasks of one agent that are looked up at the same time; of more it is done at a later beat. */
const LOOKED_UP_AT_ONCE = 64;
/** A run whose kill shows no effect for so long is no longer waited for, ms. */
const KILL_EFFECT_MS = 30_000;

/**
 * One legacy agent, known by its reports alone, whose state outlives its connections: keeps that state, and does what
 * follows from a change of it. The connection that speaks for the agent is chosen by the owner of this.
 */
export class LegacyHost implements HostSession {
  readonly host: string;
  readonly pushed = false;
  /** as its connections have shown, and at least what both kinds have by default */
  beatMs = DEFAULT_BEAT_MS;
  readonly hello = undefined;
  /** runs assigned before this moment may be with an agent of another kind; unix ms */
  pushedUntilMs = 0;
  readonly #parts: LegacyHostParts;
  readonly #live: LiveOutput;
  readonly #watches: LegacyWatches;
  readonly #results: ResultStorage;
  readonly #notes: RunNotes;
  #state: AgentState;
  #connection: LegacyConnection | undefined;
  #lastAddress = '';
  /** the connection that sent the last report */
  #reportedOn: LegacyConnection | undefined;
  /** ids whose end the last report told: they have no process, though their end may not be stored yet */
  #ending: ReadonlySet<number> = new Set();
  #lookingUp = 0;

  constructor(host: string, kind: LegacyKind, parts: LegacyHostParts) {
    this.host = host;
    this.#parts = parts;
    this.#state = agentState(kind);
    this.#live = new LiveOutput(parts.liveBudget);
    this.#watches = new LegacyWatches(this.#live);
    this.#notes = new RunNotes({ ...parts, host });
    this.#results = new ResultStorage(this.#notes, parts.nowMs);
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
    return this.#state.kind;
  }

  get ready(): boolean {
    return this.#connection !== undefined;
  }

  get heldRuns(): readonly RunId[] {
    return [...this.#state.tasks.values()].filter(mayRun).map(({ taskId, clock }) => ({ taskId, clock }));
  }

  /** True if it can be forgotten without harm. */
  get idle(): boolean {
    return this.#connection === undefined && this.#state.tasks.size === 0;
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

  /** Another agent gets the Host. A run that may have begun here unseen is noted before that one is given its work. */
  close(): void {
    for (const task of this.#state.tasks.values()) {
      if (task.stage === 'listed' && task.cached) void this.#notes.dispatched(task);
    }
    this.#connection?.close();
  }

  // Both stand in the answer to its next report.
  assign(): void {}
  kill(): void {}

  holds({ taskId, clock }: RunId): boolean {
    const task = this.#state.tasks.get(taskId);
    if (!task || task.clock !== clock || !mayRun(task) || this.#ending.has(taskId)) return false;
    const nowMs = this.#parts.nowMs();
    const overMs = task.killListedMs ?? (task.begunMs ?? nowMs) + task.timeoutMs;
    return nowMs < overMs + KILL_EFFECT_MS;
  }

  watch(request: WatchRequest, sink: WatchSink): Watch {
    const { taskId, clock } = request;
    const open = this.#parts.work.openRuns(this.host)?.some((run) => run.taskId === taskId && run.clock === clock);
    return this.#watches.start(request, open === true || this.holds({ taskId, clock }), sink);
  }

  /** Undefined if the connection has lost its place meanwhile. Only one at a time on a connection. */
  async beat(connection: LegacyConnection, report: Report): Promise<ReportAnswer | undefined> {
    const first = this.#reportedOn !== connection;
    this.#reportedOn = connection;
    if (!first) this.beatMs = Math.max(DEFAULT_BEAT_MS, connection.intervalMs);
    const deadline = new AnswerDeadline();
    // They are read when an agent comes, some ms after its first report.
    const known = this.#openRuns() ?? (await deadline.untilKnown(() => this.#openRuns()));
    if (this.#connection !== connection) return undefined;
    if (!known) return NOT_KNOWN;
    const nowMs = this.#parts.nowMs();
    this.#attribute(connection, report, known, nowMs);
    const { alive, ended } = sortReport(report.tasks, known, this.#state.tasks, nowMs);
    this.#ending = new Set(ended.keys());
    this.#watches.show(alive, known);
    this.#warnOfOldScripts(report.tasks);
    const unstored =
      ended.size === 0 ? NONE : await this.#results.store([...ended.values()], known, this.#state.tasks, deadline);
    for (const { taskId, clock } of ended.values()) {
      if (!unstored.has(taskId)) this.#watches.ended(taskId, startClockOf(clock));
    }
    if (this.#connection !== connection) return undefined;
    const open = ended.size === 0 ? known : this.#openRuns();
    if (!open) return NOT_KNOWN;
    const beat: Beat = { nowMs, connection: connection.id, first, alive, ended, unstored };
    return await this.#answer(connection, beat, open, deadline);
  }

  /** Gives out a script, and before that notes durably that it was given: from then on the run may have begun. */
  async meta(connection: LegacyConnection, taskId: number): Promise<MetaAnswer> {
    const run = this.#wanted(taskId);
    const deadline = new AnswerDeadline();
    if (run) {
      this.#change((draft) => draft.giveScript(run, connection.id, this.#parts.nowMs()));
      const noted = await this.#notes.dispatchedInTime(deadline, run);
      const wanted = this.#parts.work.openRuns(this.host) === undefined || this.#wanted(taskId)?.clock === run.clock;
      if (noted && wanted && connection.open) return scriptOf(run.meta);
    }
    // The agent keeps the task without ever running it. Where still wanted, it is listed again under another clock.
    this.#change((draft) => draft.withholdScript(taskId));
    return await withoutScript(taskId, this.#parts.work, deadline);
  }

  /** True if this task was listed on a connection that is gone, so that the agent may ask for its script on a new one. */
  mayAskFor(taskId: number): boolean {
    const task = this.#state.tasks.get(taskId);
    const unconfirmed = task?.stage === 'listed' || (task?.stage === 'accepted' && !task.hasProcess);
    return this.#connection === undefined && unconfirmed && this.#wanted(taskId) !== undefined;
  }

  #openRuns(): ReadonlyMap<number, OpenRun> | undefined {
    const open = this.#parts.work.openRuns(this.host);
    return open && new Map(open.map((run) => [run.taskId, run]));
  }

  #wanted(taskId: number): OpenRun | undefined {
    const run = this.#parts.work.openRuns(this.host)?.find((candidate) => candidate.taskId === taskId);
    if (run?.status !== 'running' || this.#parts.nowMs() >= run.startUntilMs) return undefined;
    // A run that another kind of agent may have begun is not for this one.
    return run.dispatched && this.#state.tasks.get(taskId)?.clock !== run.clock ? undefined : run;
  }

  async #answer(
    connection: LegacyConnection,
    beat: Beat,
    open: ReadonlyMap<number, OpenRun>,
    deadline: AnswerDeadline,
  ): Promise<ReportAnswer | undefined> {
    const { serverStartMs } = this.#parts;
    const { state, list, ...outcome } = reduceReport(this.#state, beat, open, {
      serverStartMs,
      pushedUntilMs: this.pushedUntilMs,
    });
    this.#state = state;
    for (const run of outcome.begun) void this.#notes.dispatched(run);
    this.#live.retain((taskId) => state.tasks.has(taskId));
    for (const run of outcome.lost) if (open.get(run.taskId)?.clock === run.clock) void this.#lose(run);
    for (const run of outcome.neverStarted) void this.#notes.neverStarted(run);
    for (const taskId of beat.alive.keys()) void this.#lookUp(state.tasks.get(taskId), open);
    if (outcome.ungated.length === 0) return { assign: list };
    const dropped = await this.#noteUngated(outcome.ungated, connection, deadline);
    if (this.#connection !== connection) return undefined;
    return { assign: list.filter(({ taskId }) => !dropped.has(taskId)) };
  }

  /** Runs that begin as soon as they are listed are noted first. Resolves with those that may not be listed now, by id. */
  async #noteUngated(
    runs: readonly OpenRun[],
    connection: LegacyConnection,
    deadline: AnswerDeadline,
  ): Promise<ReadonlySet<number>> {
    const noted = await Promise.all(runs.map((run) => this.#notes.dispatchedInTime(deadline, run)));
    const left = this.#connection !== connection;
    const dropped = runs
      .filter((run, i) => left || noted[i] !== true || this.#wanted(run.taskId)?.clock !== run.clock)
      .map(({ taskId }) => taskId);
    this.#change((draft) => dropped.forEach((taskId) => draft.unlist(taskId)));
    return new Set(dropped);
  }

  /** Scripts that the agent asked for before it gave its name are this Host's. */
  #attribute(
    { id, early }: LegacyConnection,
    { tasks }: Report,
    open: ReadonlyMap<number, OpenRun>,
    nowMs: number,
  ): void {
    if (early.size === 0) return;
    let begun: readonly OpenRun[] = [];
    this.#change((draft) => (begun = draft.attributeScripts(early, { tasks, connection: id, nowMs }, open)));
    for (const run of begun) void this.#notes.dispatched(run);
    early.clear();
  }

  /** Scheduling is done with it, but the agent is not: a run that is over, or should have been killed, is killed. */
  async #lookUp(task: TrackedTask | undefined, open: ReadonlyMap<number, OpenRun>): Promise<void> {
    if (!task || task.lookedUp || open.get(task.taskId)?.clock === task.clock) return;
    if (this.#lookingUp >= LOOKED_UP_AT_ONCE) return;
    this.#change((draft) => draft.noteLookUp(task, true));
    this.#lookingUp++;
    try {
      const settled = await this.#parts.work.settledRun(this.host, task);
      if (settled) this.#change((draft) => draft.noteLookUp(task, true, settled));
    } catch {
      this.#change((draft) => draft.noteLookUp(task, false));
    } finally {
      this.#lookingUp--;
    }
  }

  #warnOfOldScripts(tasks: readonly ReportedTask[]): void {
    for (const { taskId, clock } of tasks) {
      const task = this.#state.tasks.get(taskId);
      if (task?.stage !== 'listed' || !ranAnotherScript(task, startClockOf(clock))) continue;
      const remedy = 'set [Task] FirstId above every task id that this fleet has seen';
      this.#parts.log.error({ host: this.host, task: taskId, remedy }, 'a legacy agent ran an older script of this id');
    }
  }

  #change(change: (draft: AgentDraft) => void): void {
    this.#state = changed(this.#state, change);
  }

  async #lose({ taskId, clock }: RunId): Promise<void> {
    if (await this.#notes.lost({ taskId, clock }, this.#live.get(taskId, clock))) this.#watches.ended(taskId, clock);
  }
}

const NONE: ReadonlySet<number> = new Set();
const NOT_KNOWN: ReportAnswer = Object.freeze({ message: 'the server is reading its tasks, try again' });
