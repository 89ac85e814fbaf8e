import {
  isActive,
  STATUS_RULES,
  type FinalStatus,
  type HostStatus,
  type RunReason,
  type TaskAction,
} from '../../shared/task-states.js';
import type { TaskChange } from './changes.js';
import type { RunDetail } from './records.js';
import type { Effect, ResultEvent, StoredOutput } from './events.js';
import { withoutOwnership, asOwner } from './fences.js';
import { reportDetail, settledDetail } from './run-details.js';
import { lateOutput } from './late-results.js';
import { hostEntry, type HostEntry, type TaskState } from './task-state.js';

/** The outcome of one step. `changes` are to be durable before any effect is sent or caller answered. */
export interface Step {
  readonly state: TaskState;
  readonly changes: readonly TaskChange[];
  readonly effects: readonly Effect[];
  /** hosts whose entry is another one than before, each once, as it is now */
  readonly touched: readonly HostEntry[];
}

/**
 * A copy of a task's state to work on, and the record of what was done to it. Copying is one copy of the array of
 * hosts, whose entries stay shared; a result therefore costs the same in a task of 10,000 hosts as in one of ten.
 */
export class TaskDraft {
  readonly rules: TaskState['rules'];
  readonly nowMs: number;
  readonly #before: TaskState;
  readonly #hosts: HostEntry[];
  readonly #counts: Record<HostStatus, number>;
  readonly #changes: TaskChange[] = [];
  /** what the changes rely on */
  readonly #guards: TaskChange[] = [];
  /** starts that were reported in this step, by host; nothing else of the step depends on when they are stored */
  readonly #starts = new Map<string, TaskChange>();
  readonly #effects: Effect[] = [];
  readonly #touched = new Set<number>();
  /** hosts and clocks of the kills among the effects */
  readonly #kills = new Set<string>();
  #action: TaskAction;
  #actionClock: number;
  #touches = false;
  #firstWaiting: number;
  #ended: boolean;
  #wakeAtMs: number;

  constructor(state: TaskState, nowMs: number) {
    this.rules = state.rules;
    this.nowMs = nowMs;
    this.#before = state;
    this.#hosts = [...state.hosts];
    this.#counts = { ...state.counts };
    this.#action = state.action;
    this.#actionClock = state.actionClock;
    this.#firstWaiting = state.firstWaiting;
    this.#ended = state.ended;
    this.#wakeAtMs = state.wakeAtMs;
  }

  get action(): TaskAction {
    return this.#action;
  }

  get actionClock(): number {
    return this.#actionClock;
  }

  get counts(): Readonly<Record<HostStatus, number>> {
    return this.#counts;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get hosts(): readonly HostEntry[] {
    return this.#hosts;
  }

  host(name: string): HostEntry | undefined {
    const position = this.#before.index.get(name);
    return position === undefined ? undefined : this.#hosts[position];
  }

  /** The first host that waits, in the order given. */
  nextWaiting(): HostEntry | undefined {
    while (this.#firstWaiting < this.#hosts.length) {
      const entry = this.#hosts[this.#firstWaiting];
      if (entry && STATUS_RULES[entry.status].phase === 'waiting') return entry;
      this.#firstWaiting += 1;
    }
    return undefined;
  }

  setAction(action: TaskAction): void {
    this.#action = action;
    this.#actionClock = this.#nextActionClock();
    this.#changes.push({ kind: 'task-action', taskId: this.rules.taskId, action, clock: this.#actionClock });
  }

  /** Makes the owner of the task read it again. */
  touch(): void {
    this.#touches = true;
  }

  endTask(): void {
    this.#ended = true;
  }

  /** Waiting or final -> running, under a clock above all that the host was given before. */
  start(entry: HostEntry, dispatched: boolean): void {
    const clock = nextClock(entry, this.nowMs);
    const { host, status: from } = entry;
    this.#put(entry, {
      ...entry,
      status: 'running',
      startClock: clock,
      lastClock: clock,
      assignedAtMs: this.nowMs,
      dispatched,
      startedMs: null,
      startedAtMs: null,
      killedAtMs: null,
      reported: false,
    });
    this.#changes.push({ kind: 'start-host', taskId: this.rules.taskId, host, from, clock });
  }

  /** Running or timeout -> killing. */
  kill(entry: HostEntry): void {
    const clock = nextClock(entry, this.nowMs);
    const { host, status: from, startClock } = entry;
    this.#put(entry, { ...entry, status: 'killing', lastClock: clock, killedAtMs: this.nowMs });
    this.#changes.push({ kind: 'kill-host', taskId: this.rules.taskId, host, from, startClock, clock });
    this.sendKill(host, startClock);
  }

  /** Any active status -> the one that the agent reports. */
  report(entry: HostEntry, { clock, status, output, report }: ResultEvent): void {
    const startedMs = report.startedMs ?? entry.startedMs;
    const detail = reportDetail(entry.host, { taskId: this.rules.taskId, clock }, { ...report, startedMs }, false);
    this.#end({ ...entry, startClock: clock, startedMs, reported: true }, entry, status, output, detail);
  }

  /** Any status -> a final one, by the server's decision. */
  settle(entry: HostEntry, to: FinalStatus, reason: RunReason | null, output?: StoredOutput): void {
    // Only an active host has a run whose details are not stored yet.
    const detail = isActive(entry.status) ? settledDetail(entry, this.#run(entry), reason) : undefined;
    if (detail && reason === 'not-started') this.#guardNotDispatched(entry);
    this.#end(entry, entry, to, output, detail);
  }

  /** A true result of a host that was settled without it, or of a start before its newest. */
  lateReport(entry: HostEntry, event: ResultEvent, effect: 'completes' | 'supersedes'): void {
    if (effect === 'completes') this.#put(entry, { ...entry, reported: true });
    this.#changes.push(lateOutput(this.rules.taskId, event, effect));
  }

  started(entry: HostEntry, startedMs: number): void {
    this.#put(entry, { ...entry, dispatched: true, startedMs, startedAtMs: entry.startedAtMs ?? this.nowMs });
    const run = this.#run(entry);
    this.#starts.set(entry.host, { kind: 'host-started', taskId: run.taskId, host: entry.host, run, startedMs });
  }

  /** Notes that an agent has listed the run of an active host; nothing of it is stored. */
  noteDispatched(entry: HostEntry, running: boolean): void {
    const startedAtMs = running ? (entry.startedAtMs ?? this.nowMs) : entry.startedAtMs;
    if (entry.dispatched && startedAtMs === entry.startedAtMs) return;
    this.#put(entry, { ...entry, dispatched: true, startedAtMs });
  }

  /** Sends a start that was made before. `shared`: only if the rows still want it. */
  sendStoredStart(entry: HostEntry, shared: boolean): void {
    if (shared) this.dispatchStored(entry);
    else this.noteDispatched(entry, false);
    this.assign(entry.host, entry.startClock);
  }

  /** This server's agent gets a start that a peer may have given up meanwhile. */
  dispatchStored(entry: HostEntry): void {
    this.#put(entry, { ...entry, dispatched: true });
    const run = this.#run(entry);
    this.#changes.push({ kind: 'dispatch-stored', taskId: run.taskId, host: entry.host, run });
  }

  /** Sends a start of this step. `shared`: peers are to see in the rows that its agent gets it. */
  sendNewStart(host: string, shared: boolean): void {
    const { taskId } = this.rules;
    const clock = this.host(host)?.startClock ?? 0;
    if (shared) this.#changes.push({ kind: 'note-dispatch', taskId, host, clock });
    this.assign(host, clock);
  }

  /** Only its host's end would remove the row, and no task ends while there is one. */
  dropStray(entry: HostEntry, clock: number): void {
    this.#put(entry, { ...entry, strayClock: null });
    this.#changes.push({ kind: 'drop-stray', taskId: this.rules.taskId, host: entry.host, clock });
  }

  assign(host: string, clock: number): void {
    this.#effects.push({ kind: 'assign', host, clock });
  }

  sendKill(host: string, clock: number): void {
    const name = `${host} ${clock}`;
    if (this.#kills.has(name)) return;
    this.#kills.add(name);
    this.#effects.push({ kind: 'kill', host, clock });
  }

  wakeBy(atMs: number): void {
    this.#wakeAtMs = Math.min(this.#wakeAtMs, atMs);
  }

  /** Forgets the time set before; the caller goes through all hosts again. */
  clearWake(): void {
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
  }

  /** `scheduler`: the changes are made in this name, and only as long as it has the task. */
  finish(scheduler?: string): Step {
    if (this.#touches) this.#actionClock = this.#nextActionClock();
    const state: TaskState = {
      rules: this.rules,
      action: this.#action,
      actionClock: this.#actionClock,
      hosts: this.#hosts,
      index: this.#before.index,
      counts: this.#counts,
      firstWaiting: this.#firstWaiting,
      ended: this.#ended,
      wakeAtMs: this.#ended ? Number.POSITIVE_INFINITY : this.#wakeAtMs,
    };
    const all = [...this.#guards, ...this.#changes, ...this.#starts.values()];
    const owned = scheduler !== undefined;
    return {
      state,
      changes: owned ? asOwner(scheduler, this.#before, state, all) : withoutOwnership(state, all, this.#touches),
      effects: this.#effects.filter((effect) => this.#stands(effect)),
      touched: [...this.#touched].flatMap((position) => this.#hosts[position] ?? []),
    };
  }

  /** A peer may be about to dispatch what this server gives up, unless the start is of this step, or has no row. */
  #guardNotDispatched({ host, startClock: clock }: HostEntry): void {
    if (clock === 0 || hostEntry(this.#before, host)?.startClock !== clock) return;
    this.#guards.push({ kind: 'not-dispatched', taskId: this.rules.taskId, host, clock });
  }

  #nextActionClock(): number {
    return Math.max(Math.floor(this.nowMs / 1_000), this.#actionClock + 1);
  }

  #run(entry: HostEntry): { taskId: number; clock: number } {
    return { taskId: this.rules.taskId, clock: entry.startClock };
  }

  #end(
    next: HostEntry,
    entry: HostEntry,
    to: FinalStatus,
    output: StoredOutput | undefined,
    detail: RunDetail | undefined,
  ): void {
    const { host, status: from } = entry;
    this.#put(entry, { ...next, status: to, killedAtMs: null });
    // The details hold it too. A short script's start and end are mostly in one step.
    if (detail) this.#starts.delete(host);
    this.#changes.push({ kind: 'end-host', taskId: this.rules.taskId, host, from, to, output, detail });
  }

  #put(before: HostEntry, after: HostEntry): void {
    const position = this.#before.index.get(before.host);
    if (position === undefined) return;
    this.#hosts[position] = after;
    this.#counts[before.status] -= 1;
    this.#counts[after.status] += 1;
    this.#touched.add(position);
  }

  /** A message that a later event of the same step has overtaken is not sent. */
  #stands(effect: Effect): boolean {
    const entry = this.host(effect.host);
    if (effect.kind === 'kill') return entry !== undefined && effect.clock === (entry.startClock || entry.lastClock);
    return entry?.startClock === effect.clock && STATUS_RULES[entry.status].phase === 'running';
  }
}

/** Unix seconds, and more than any clock before: a redo within the same second must not look like the same run. */
function nextClock(entry: HostEntry, nowMs: number): number {
  return Math.max(Math.floor(nowMs / 1_000), entry.lastClock + 1);
}
