import type { RunId } from '../../shared/run-key.js';
import type { OpenRun } from '../tasks/agent-gateway.js';
import { trackedTask, isAlive, LegacyKind, type TrackedTask } from './tracked-task.js';
import { noteProcess } from './process-proof.js';
import type { ReportedTask } from './rpc-codec.js';
import { ScriptlessStarts } from './scriptless-starts.js';
import { isKillClock, startClockOf } from './wire-clock.js';

/** A report, as far as what the agent has is concerned. */
export interface Beat {
  /** unix ms */
  readonly nowMs: number;
  readonly connection: object;
  /** the connection's first, which may be old news */
  readonly first: boolean;
  /** tasks that it names and that have not ended, by id */
  readonly alive: ReadonlyMap<number, ReportedTask>;
  /** ids whose end it reports */
  readonly ended: ReadonlySet<number>;
}

/** What a report made certain. */
export interface Verdicts {
  /** runs that have begun and were not known to have */
  readonly begun: readonly RunId[];
  /** runs that have begun and that the agent does not know any more; told again until they are no longer open */
  readonly lost: readonly RunId[];
}

/** A kill that shows no effect for so many answers and so long is given up. */
const KILL_ANSWERS = 8;
const KILL_PATIENCE_MS = 15_000;
/** After its time has been over for so long, what is neither named nor wanted any more is forgotten. */
const FORGET_AFTER_MS = 60_000;
/** How long an agent keeps a script is its own affair; of so many ids it is remembered that it has them. */
const MAX_CACHED_IDS = 1_000;

/** What is known of the tasks on one agent, and what each of its reports tells about them. */
export class AgentState {
  kind: LegacyKind;
  readonly tasks = new Map<number, TrackedTask>();
  readonly shells = new ScriptlessStarts();
  readonly #serverStartMs: number;
  readonly #cachedIds = new Set<number>();

  constructor(kind: LegacyKind, serverStartMs: number) {
    this.kind = kind;
    this.#serverStartMs = serverStartMs;
  }

  /** True unless the agent must ask for the script of this run before it can start it. */
  mayHaveScript({ taskId, meta }: OpenRun): boolean {
    return this.#cachedIds.has(taskId) || meta.created.getTime() < this.#serverStartMs;
  }

  offered(run: OpenRun, connection: object, wireClock: number): void {
    if (this.tasks.get(run.taskId)?.clock === run.clock) return;
    const held = trackedTask(run.taskId, run.clock, 'offered', connection);
    held.wireClock = wireClock;
    held.cached = this.mayHaveScript(run);
    held.origin = connection;
    held.timeoutMs = run.timeoutMs;
    this.tasks.set(run.taskId, held);
  }

  /** The script of a run is about to be given. */
  scriptGiven(run: OpenRun, connection: object, nowMs: number): void {
    const known = this.tasks.get(run.taskId);
    const held = known?.clock === run.clock ? known : trackedTask(run.taskId, run.clock, 'taken', connection);
    if (held.stage === 'offered') held.stage = 'taken';
    held.connection = connection;
    held.origin = connection;
    held.scriptGiven = true;
    held.timeoutMs = run.timeoutMs;
    held.begunMs ??= nowMs;
    this.tasks.set(run.taskId, held);
    this.shells.delete(run.taskId);
    this.#cachedIds.add(run.taskId);
    const oldest = this.#cachedIds.values().next();
    if (this.#cachedIds.size > MAX_CACHED_IDS && !oldest.done) this.#cachedIds.delete(oldest.value);
  }

  /** The script was asked for, and not given after all. */
  scriptWithheld(taskId: number): void {
    this.#cachedIds.delete(taskId);
    this.notListed(taskId);
  }

  /** It was to be listed, and was not after all: under that clock nothing has begun, nor ever will. */
  notListed(taskId: number): void {
    const held = this.tasks.get(taskId);
    if (!held) return;
    this.tasks.delete(taskId);
    this.shells.add(taskId, held.wireClock);
  }

  /** These ends were told, and could not be stored yet. */
  endsTold(taskIds: Iterable<number>): void {
    for (const taskId of taskIds) {
      const held = this.tasks.get(taskId);
      if (!held) continue;
      held.endTold = true;
      held.stage = 'seen';
    }
  }

  /** Takes in what a report says and does not say. `open`: what scheduling has under way on this host. */
  absorb(beat: Beat, open: ReadonlyMap<number, OpenRun>): Verdicts {
    const begun: RunId[] = [];
    const lost: RunId[] = [];
    for (const task of beat.alive.values()) this.#named(task, beat, open.get(task.taskId), begun);
    for (const taskId of beat.ended) this.tasks.delete(taskId);
    for (const held of this.tasks.values()) {
      const expected = open.get(held.taskId);
      const isOpen = expected?.clock === held.clock;
      if (!this.#isNamed(held, beat)) this.#notNamed(held, isOpen, beat, begun, lost);
      this.#judgeTime(held, beat.nowMs, isOpen && expected.status === 'killing');
    }
    return { begun, lost };
  }

  /** The connection is gone. What it was offered with its script at hand may have begun unseen. */
  unconfirmed(): TrackedTask[] {
    return [...this.tasks.values()].filter(({ stage, cached }) => stage === 'offered' && cached);
  }

  /** Under another clock it is an older start, or the shell of one, which says nothing of this one. */
  #isNamed({ taskId, clock }: TrackedTask, beat: Beat): boolean {
    const named = beat.alive.get(taskId);
    return named !== undefined && startClockOf(named.clock) === clock && !this.shells.has(taskId, named.clock);
  }

  #named(task: ReportedTask, beat: Beat, open: OpenRun | undefined, begun: RunId[]): void {
    if (task.status === 'running') this.kind = LegacyKind.categraf;
    const { taskId } = task;
    const clock = startClockOf(task.clock);
    if (this.shells.has(taskId, task.clock)) return;
    let held = this.tasks.get(taskId);
    if (held?.clock !== clock) this.tasks.set(taskId, (held = trackedTask(taskId, clock, 'offered', beat.connection)));
    const expected = open?.clock === clock ? open : undefined;
    held.begunMs ??= expected?.startedAtMs ?? beat.nowMs;
    if (expected) held.timeoutMs = expected.timeoutMs;
    noteProcess(held, task, beat, expected, this.#serverStartMs);
    if (isKillClock(task.clock)) held.killListedMs ??= beat.nowMs;
    else held.wireClock = task.clock;
    if (expected && !expected.dispatched) begun.push({ taskId, clock });
    held.stage = 'seen';
    held.connection = beat.connection;
    held.killAnswers = 0;
  }

  #notNamed(held: TrackedTask, isOpen: boolean, beat: Beat, begun: RunId[], lost: RunId[]): void {
    const endMs = (held.begunMs ?? beat.nowMs) + held.timeoutMs + FORGET_AFTER_MS;
    // One that never was a task of this server has no timeout: there is nothing to be known of it but that it is named.
    // Under a kill an agent does not name it, and whose it is may only be known later.
    const foreign = held.timeoutMs === Number.POSITIVE_INFINITY && held.killListedMs === undefined;
    if (!isOpen && (held.stage === 'lost' || foreign || beat.nowMs > endMs)) {
      this.tasks.delete(held.taskId);
      return;
    }
    if (held.endTold) return;
    const sameConnection = held.connection === beat.connection;
    switch (held.stage) {
      case 'offered':
        return this.#offerNotNamed(held, beat, begun, lost);
      case 'taken':
      case 'seen':
        return this.#runNotNamed(held, sameConnection, beat, lost);
      case 'lost':
        return this.#lose(held, lost);
      default:
        held.stage satisfies never;
    }
  }

  /** An agent works through a list before its next report, so on the same connection this one speaks of the outcome. */
  #offerNotNamed(held: TrackedTask, beat: Beat, begun: RunId[], lost: RunId[]): void {
    const sameConnection = held.connection === beat.connection;
    if (!sameConnection && held.cached && this.kind === LegacyKind.agentd) {
      // Listed on: an agent of this kind looks the same whether it has begun, has restarted or has never been asked.
      held.connection = beat.connection;
      held.origin = beat.connection;
    } else if (!sameConnection && held.cached) {
      // It may have begun, and ended its own agent. Offered again it would do so again, and again.
      this.#lose(held, lost);
    } else if (!sameConnection || this.kind === LegacyKind.categraf) {
      // It has not begun: nobody asked for its script here. Someone may have asked in vain, and hold it without one.
      this.notListed(held.taskId);
    } else {
      this.kind = LegacyKind.agentd;
      held.stage = 'taken';
      held.process = !held.doubtful;
      held.begunMs ??= beat.nowMs;
      begun.push(held);
    }
  }

  #runNotNamed(held: TrackedTask, sameConnection: boolean, beat: Beat, lost: RunId[]): void {
    // An agent keeps quiet about a task while it is killing it.
    if (held.killListedMs !== undefined) return this.#killNotNamed(held, beat, lost);
    if (this.kind === LegacyKind.unknown && sameConnection) this.kind = LegacyKind.agentd;
    if (this.kind === LegacyKind.categraf) return this.#lose(held, lost);
    if (this.kind !== LegacyKind.agentd) return;
    held.doubtful ||= !sameConnection && held.scriptGiven && !held.process;
    if (sameConnection && held.probedOn === beat.connection) held.doubtful = false;
    held.process = sameConnection && !held.doubtful;
    held.connection = beat.connection;
  }

  #killNotNamed(held: TrackedTask, beat: Beat, lost: RunId[]): void {
    held.connection = beat.connection;
    const overdue = beat.nowMs - (held.killListedMs ?? beat.nowMs) > KILL_PATIENCE_MS;
    if (held.killAnswers >= KILL_ANSWERS && overdue) this.#lose(held, lost);
  }

  #lose(held: TrackedTask, lost: RunId[]): void {
    held.stage = 'lost';
    lost.push(held);
  }

  #judgeTime(held: TrackedTask, nowMs: number, killing: boolean): void {
    const overdue = held.begunMs !== undefined && nowMs >= held.begunMs + held.timeoutMs;
    if (isAlive(held) && (killing || overdue)) held.killWanted = true;
  }
}
