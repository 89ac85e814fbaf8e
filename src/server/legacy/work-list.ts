import type { OpenRun } from '../tasks/agent-gateway.js';
import { isAlive, LegacyKind, type TrackedTask } from './tracked-task.js';
import type { Beat, AgentState } from './agent-state.js';
import { beganNearStart, wantsProbe } from './process-proof.js';
import type { AssignedTask, ReportedTask } from './rpc-codec.js';
import { attemptClock, attemptOf, isKillClock, killClock, MAX_ATTEMPT, startClockOf } from './wire-clock.js';

/**
 * Tasks that one agent is given at the same time; more wait for their turn. A report carries the whole output of each,
 * so this bounds its length.
 */
const MAX_TASKS = 64;

export interface WorkListOptions {
  readonly ledger: AgentState;
  /** in the order of their clocks */
  readonly open: readonly OpenRun[];
  readonly beat: Beat;
  /** runs begun before this moment may have begun without this process having seen it; unix ms */
  readonly serverStartMs: number;
  /** runs assigned before this moment may be with an agent of another kind; unix ms */
  readonly pushedUntilMs: number;
}

export interface WorkList {
  readonly assign: readonly AssignedTask[];
  /** listed for the first time, of a script that the agent may have already: it starts without asking for anything */
  readonly ungated: readonly OpenRun[];
  /** runs that an agent had before this server's start and has lost since */
  readonly lost: readonly OpenRun[];
  /** runs to be killed that never had a process */
  readonly unstarted: readonly OpenRun[];
}

/**
 * The complete list of tasks that an agent should know, one entry an id. Whatever is left out it forgets, unless it
 * still runs; so everything is listed until its end is stored.
 */
export function workList(options: WorkListOptions): WorkList {
  const { ledger, open, beat, serverStartMs, pushedUntilMs } = options;
  const [assign, ungated, lost, unstarted]: [AssignedTask[], OpenRun[], OpenRun[], OpenRun[]] = [[], [], [], []];
  for (const held of ledger.tasks.values()) {
    if (!isAlive(held)) continue;
    const named = namedAs(held, beat);
    // What is taken, of an agent that would name it if it knew it, is in doubt: it is neither started nor given up.
    if (!named && held.stage === 'taken' && ledger.kind === LegacyKind.unknown) continue;
    if (!beat.ended.has(held.taskId)) assign.push(entryOf(held, named, ledger, beat));
  }
  for (const run of open) {
    const { taskId } = run;
    const known = ledger.tasks.get(taskId);
    // One entry an id; after an end at least one answer without the id; and no two clocks of a task at once.
    if (beat.ended.has(taskId) || (known && (isAlive(known) || isLost(known, run)))) continue;
    const formerlyPushed = run.assignedAtMs < pushedUntilMs;
    const shellClock = ledger.shells.clockOf(run);
    // A start that was sent to another kind of agent is noted as such only in this process's memory.
    if (formerlyPushed && (run.dispatched || run.assignedAtMs < serverStartMs)) continue;
    if (shellClock !== undefined && run.status === 'killing') unstarted.push(run);
    if (run.dispatched && shellClock === undefined) {
      const verdict = judgeBegun(run, options);
      if (verdict === 'lost') lost.push(run);
      else if (verdict) assign.push(verdict);
      continue;
    }
    if (run.status !== 'running' || beat.nowMs >= run.startUntilMs || assign.length >= MAX_TASKS) continue;
    const attempt = shellClock === undefined ? 0 : attemptOf(shellClock) + 1;
    if (attempt > MAX_ATTEMPT) continue;
    const wireClock = known?.clock === run.clock ? known.wireClock : attemptClock(run.clock, attempt);
    ledger.offered(run, beat.connection, wireClock);
    // Clocks are whole seconds: in the first second of this process too much is doubted, which costs a kill one beat.
    doubt(ledger, taskId, run.clock * 1_000 < serverStartMs && shellClock === undefined);
    if (ledger.tasks.get(taskId)?.cached === true) ungated.push(run);
    assign.push({ taskId, clock: wireClock, action: 'start' });
  }
  return { assign, ungated, lost, unstarted };
}

/** The entry of this report that names this run. */
function namedAs({ taskId, clock }: TrackedTask, beat: Beat): ReportedTask | undefined {
  const named = beat.alive.get(taskId);
  return named && startClockOf(named.clock) === clock ? named : undefined;
}

function entryOf(held: TrackedTask, named: ReportedTask | undefined, ledger: AgentState, beat: Beat): AssignedTask {
  const { taskId, clock } = held;
  // One that it still names under its start has not taken the kill.
  const killing = named ? isKillClock(named.clock) : held.killListedMs !== undefined;
  if (killing || (held.killWanted && mayKill(held, named, ledger, beat))) {
    held.killListedMs ??= beat.nowMs;
    held.killAnswers++;
    return { taskId, clock: killClock(clock), action: 'kill' };
  }
  if (wantsProbe(held, named, beat)) {
    held.wireClock = attemptClock(clock, attemptOf(held.wireClock) + 1);
    held.probedOn = beat.connection;
  }
  return { taskId, clock: held.wireClock, action: 'start' };
}

/** A kill of a task that is known to the agent but has no process ends the whole agent. */
function mayKill(held: TrackedTask, named: ReportedTask | undefined, ledger: AgentState, beat: Beat): boolean {
  if (beat.first) return false;
  if (named) return held.process;
  return ledger.kind === LegacyKind.agentd && held.process && held.connection === beat.connection;
}

/** An agent may hold the task without its script, because the server that had listed it is gone. */
function doubt(ledger: AgentState, taskId: number, doubtful: boolean): void {
  const held = ledger.tasks.get(taskId);
  if (held) held.doubtful ||= doubtful;
}

function isLost(held: TrackedTask, run: OpenRun): boolean {
  return held.stage === 'lost' && held.clock === run.clock;
}

/** An open run that this process knows to have begun, but not on which agent, and that the agent does not name. */
function judgeBegun(run: OpenRun, { ledger, beat, serverStartMs }: WorkListOptions): 'lost' | AssignedTask | undefined {
  const { taskId, clock } = run;
  switch (ledger.kind) {
    case LegacyKind.categraf: {
      const overdue = run.startedAtMs !== null && beat.nowMs >= run.startedAtMs + run.timeoutMs;
      // It may be under a kill that this server listed before its restart; then the agent is only quiet about it.
      if (run.status === 'running' && !overdue) return 'lost';
      return { taskId, clock: killClock(clock), action: 'kill' };
    }
    case LegacyKind.agentd: {
      ledger.offered(run, beat.connection, clock);
      const held = ledger.tasks.get(taskId);
      if (held) held.cached = true;
      doubt(ledger, taskId, beganNearStart(run, serverStartMs));
      return { taskId, clock, action: 'start' };
    }
    case LegacyKind.unknown:
      return undefined;
    default:
      return ledger.kind satisfies never;
  }
}
