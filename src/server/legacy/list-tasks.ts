import type { OpenRun } from '../tasks/agent-gateway.js';
import { namedAs, type Reduction } from './beat.js';
import { beganNearStart, needsRelisting } from './process-proof.js';
import type { ReportedTask } from './rpc-codec.js';
import { LegacyKind, mayRun, trackedTask, type TrackedTask } from './tracked-task.js';
import { attemptClock, attemptOf, isKillClock, killClock, MAX_ATTEMPT } from './wire-clock.js';

/**
 * Tasks that one agent is given at the same time; more wait for their turn. A report carries the whole output of each,
 * so this bounds its length.
 */
const MAX_TASKS = 64;

/** Lists a task that may run: as a kill if it is to be killed and may be, else as the start or the query that it is. */
export function listTracked(reduction: Reduction, taskId: number): void {
  const { draft, beat, list } = reduction;
  const task = draft.tasks.get(taskId);
  if (!task || !mayRun(task)) return;
  const { clock, killListedMs } = task;
  if (!task.endReported) {
    const named = namedAs(task, beat);
    // An agent that still names it under its start has not taken the kill.
    const killing = named ? isKillClock(named.clock) : killListedMs !== undefined;
    if (killing || (task.killWanted && mayKill(reduction, task, named))) {
      draft.put(task, { killListedMs: killListedMs ?? beat.nowMs, killAnswers: task.killAnswers + 1 });
      list.push({ taskId, clock: killClock(clock), action: 'kill' });
      return;
    }
    if (needsRelisting(task, named, beat)) {
      const wireClock = attemptClock(clock, attemptOf(task.wireClock) + 1);
      draft.put(task, { wireClock, relistedOn: beat.connection, queried: false });
      list.push({ taskId, clock: wireClock, action: 'start' });
      return;
    }
  }
  list.push({ taskId, clock: task.wireClock, action: task.queried ? 'query' : 'start' });
}

/** Lists a run that the agent is not known to have, if it may start it. */
export function listOpenRun(reduction: Reduction, run: OpenRun): void {
  const { draft, beat, since, list } = reduction;
  const { taskId } = run;
  const known = draft.tasks.get(taskId);
  // One entry an id; after an end at least one answer without the id; and no two clocks of a task at once.
  if (beat.ended.has(taskId) || (known && (mayRun(known) || isLost(known, run)))) return;
  const formerlyPushed = run.assignedAtMs < since.pushedUntilMs;
  // A start that was sent to another kind of agent is noted as such only in this process's memory.
  if (formerlyPushed && (run.dispatched || run.assignedAtMs < since.serverStartMs)) return;
  const withoutScript = draft.scriptlessClock(run);
  const isOver = run.status === 'killing' || beat.nowMs >= run.startUntilMs;
  if (withoutScript !== undefined && isOver) reduction.neverStarted.push(run);
  if (run.dispatched && withoutScript === undefined) return listBegun(reduction, run);
  if (isOver || list.length >= MAX_TASKS) return;
  const attempt = withoutScript === undefined ? 0 : attemptOf(withoutScript) + 1;
  if (attempt > MAX_ATTEMPT) return;
  const wireClock = attemptClock(run.clock, attempt);
  // Clocks are whole seconds: in the first second of this process too much is doubted, which costs a kill one beat.
  const doubtful = run.clock * 1_000 < since.serverStartMs && withoutScript === undefined;
  const mayHaveScript = draft.scripts.has(taskId) || run.meta.created.getTime() < since.serverStartMs;
  const task = listStart(reduction, run, { wireClock, doubtful, cached: mayHaveScript });
  if (task.cached) reduction.ungated.push(run);
}

/** For an open run that this process knows to have begun, but not on which agent, and that the agent does not name. */
function listBegun({ draft, beat, since, list }: Reduction, run: OpenRun): void {
  const { taskId, clock, timeoutMs, startedAtMs } = run;
  const overdue = startedAtMs !== null && beat.nowMs >= startedAtMs + timeoutMs;
  if (draft.kind === LegacyKind.categraf && (overdue || run.status === 'killing')) {
    // The run may be under a kill that this server listed before its restart; then the agent is only quiet about it.
    list.push({ taskId, clock: killClock(clock), action: 'kill' });
    return;
  }
  draft.put(trackedTask(taskId, clock, 'accepted', beat.connection), {
    queried: true,
    doubtful: beganNearStart(run, since.serverStartMs),
    timeoutMs,
    begunMs: startedAtMs ?? undefined,
  });
  list.push({ taskId, clock, action: 'query' });
}

function listStart(
  { draft, beat, list }: Reduction,
  run: OpenRun,
  { wireClock, doubtful, cached }: Pick<TrackedTask, 'wireClock' | 'doubtful' | 'cached'>,
): TrackedTask {
  const { taskId, clock, timeoutMs } = run;
  const { connection } = beat;
  const known = draft.tasks.get(taskId);
  const task =
    known?.clock === clock
      ? draft.put(known, { doubtful: known.doubtful || doubtful, cached: known.cached || cached })
      : draft.put(trackedTask(taskId, clock, 'listed', connection), {
          wireClock,
          doubtful,
          cached,
          origin: connection,
          timeoutMs,
        });
  list.push({ taskId, clock: task.wireClock, action: 'start' });
  return task;
}

/** A kill of a task that is known to the agent but has no process ends the whole agent. */
function mayKill({ draft, beat }: Reduction, task: TrackedTask, named: ReportedTask | undefined): boolean {
  if (beat.first) return false;
  // Named with an empty status it is a task that the agent was only asked about, without a process to kill.
  if (named) return task.hasProcess && named.status !== '';
  return draft.kind === LegacyKind.agentd && task.hasProcess && task.connection === beat.connection;
}

function isLost(task: TrackedTask, run: OpenRun): boolean {
  return task.stage === 'lost' && task.clock === run.clock;
}
