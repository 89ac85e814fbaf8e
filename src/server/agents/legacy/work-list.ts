import type { OpenRun } from '../gateway.js';
import { isAlive, LegacyKind, type HeldTask } from './held-task.js';
import type { Beat, HostLedger } from './host-ledger.js';
import type { AssignedTask, ReportedTask } from './rpc-codec.js';
import { isKillClock, killClock } from './wire-clock.js';

/**
 * Tasks that one agent is given at the same time; more wait for their turn. A report carries the whole output of each,
 * so this bounds its length.
 */
const MAX_TASKS = 64;

export interface WorkListOptions {
  readonly ledger: HostLedger;
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
  /** runs that an agent had before this server's start and has lost since */
  readonly lost: readonly OpenRun[];
}

/**
 * The complete list of tasks that an agent should know, one entry an id. Whatever is left out it forgets, unless it
 * still runs; so everything is listed until its end is stored.
 */
export function workList({ ledger, open, beat, serverStartMs, pushedUntilMs }: WorkListOptions): WorkList {
  const assign: AssignedTask[] = [];
  const lost: OpenRun[] = [];
  for (const held of ledger.tasks.values()) {
    if (!isAlive(held)) continue;
    const named = beat.alive.get(held.taskId);
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
    // A start that was sent to another kind of agent is noted as such only in this process's memory.
    if (formerlyPushed && (run.delivered || run.assignedAtMs < serverStartMs)) continue;
    if (run.delivered) {
      const verdict = judgeBegun(run, ledger, beat);
      if (verdict === 'lost') lost.push(run);
      else if (verdict) assign.push(verdict);
      continue;
    }
    if (run.status !== 'running' || beat.nowMs >= run.startUntilMs || assign.length >= MAX_TASKS) continue;
    ledger.offered(run, beat.connection, ledger.hasScript(taskId) || run.meta.created.getTime() < serverStartMs);
    assign.push({ taskId, clock: run.clock, action: 'start' });
  }
  return { assign, lost };
}

function entryOf(held: HeldTask, named: ReportedTask | undefined, ledger: HostLedger, beat: Beat): AssignedTask {
  const { taskId } = held;
  const killing = held.killListedMs !== undefined || (named !== undefined && isKillClock(named.clock));
  if (!killing && !(held.killWanted && mayKill(held, named, ledger, beat))) {
    return { taskId, clock: held.clock, action: 'start' };
  }
  held.killListedMs ??= beat.nowMs;
  held.killAnswers++;
  return { taskId, clock: killClock(held.clock), action: 'kill' };
}

/** A kill of a task that is known to the agent but has no process ends the whole agent. */
function mayKill(held: HeldTask, named: ReportedTask | undefined, ledger: HostLedger, beat: Beat): boolean {
  if (beat.first) return false;
  if (named) return held.process;
  return ledger.kind === LegacyKind.agentd && held.process && held.connection === beat.connection;
}

function isLost(held: HeldTask, run: OpenRun): boolean {
  return held.stage === 'lost' && held.clock === run.clock;
}

/** An open run that this process knows to have begun, but not on which agent, and that the agent does not name. */
function judgeBegun(run: OpenRun, ledger: HostLedger, beat: Beat): 'lost' | AssignedTask | undefined {
  const { taskId, clock } = run;
  switch (ledger.kind) {
    case LegacyKind.categraf: {
      const overdue = run.startedAtMs !== null && beat.nowMs >= run.startedAtMs + run.timeoutMs;
      // It may be under a kill that this server listed before its restart; then the agent is only quiet about it.
      if (run.status === 'running' && !overdue) return 'lost';
      return { taskId, clock: killClock(clock), action: 'kill' };
    }
    case LegacyKind.agentd:
      ledger.offered(run, beat.connection, true);
      return { taskId, clock, action: 'start' };
    case LegacyKind.unknown:
      return undefined;
    default:
      return ledger.kind satisfies never;
  }
}
