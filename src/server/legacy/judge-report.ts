import { dyingNow, namedAs, type Reduction } from './beat.js';
import { processProof } from './process-proof.js';
import type { ReportedTask } from './rpc-codec.js';
import { LegacyKind, mayRun, trackedTask, type TrackedTask } from './tracked-task.js';
import { isKillClock, startClockOf } from './wire-clock.js';

/** A kill that shows no effect for so many answers and so long is given up. */
const KILL_ANSWERS = 8;
const KILL_PATIENCE_MS = 15_000;
/** A task that is neither named nor wanted any more is forgotten so long after its time is over. */
const FORGET_AFTER_MS = 60_000;

/** The agent has this task. Under the clock of a start without a script that says nothing of a run. */
export function noteNamed(reduction: Reduction, named: ReportedTask): void {
  const { draft, beat, open, since, begun } = reduction;
  if (named.status === 'running') draft.kind = LegacyKind.categraf;
  const { taskId } = named;
  if (draft.isScriptless(taskId, named.clock)) return;
  const clock = startClockOf(named.clock);
  const known = draft.tasks.get(taskId);
  const task = known?.clock === clock ? known : trackedTask(taskId, clock, 'listed', beat.connection);
  const run = open.get(taskId);
  const expected = run?.clock === clock ? run : undefined;
  const isKill = isKillClock(named.clock);
  // The agent has neither the task nor a result of it.
  if (named.status === '') return task.queried ? lose(reduction, task) : undefined;
  draft.put(task, {
    stage: 'named',
    connection: beat.connection,
    wireClock: isKill ? task.wireClock : named.clock,
    begunMs: task.begunMs ?? expected?.startedAtMs ?? beat.nowMs,
    timeoutMs: expected?.timeoutMs ?? task.timeoutMs,
    ...processProof(task, named, beat, expected, since.serverStartMs),
    killListedMs: task.killListedMs ?? (isKill ? beat.nowMs : undefined),
    killAnswers: 0,
    dying: dyingNow(named, run, known, beat.nowMs) ?? task.dying,
  });
  if (expected && !expected.dispatched) begun.push({ taskId, clock });
}

/** The report tells the end of this task. */
export function noteEnded({ draft, beat, open }: Reduction, ended: ReportedTask): void {
  const { taskId } = ended;
  if (!beat.unstored.has(taskId)) return draft.forget(taskId);
  const clock = startClockOf(ended.clock);
  const known = draft.tasks.get(taskId);
  const task = known?.clock === clock ? known : trackedTask(taskId, clock, 'named', beat.connection);
  draft.put(task, {
    stage: 'named',
    connection: beat.connection,
    wireClock: ended.clock,
    timeoutMs: open.get(taskId)?.clock === clock ? (open.get(taskId)?.timeoutMs ?? task.timeoutMs) : task.timeoutMs,
    queried: true,
    endReported: true,
  });
}

/** For tasks that the report does not name, be it that it names another start of the same id. */
export function noteUnnamed(reduction: Reduction, taskId: number): void {
  const { draft, beat, open } = reduction;
  const task = draft.tasks.get(taskId);
  if (!task || isNamed(reduction, task) || beat.ended.has(taskId)) return;
  const isOpen = open.get(taskId)?.clock === task.clock;
  const endMs = (task.begunMs ?? beat.nowMs) + task.timeoutMs + FORGET_AFTER_MS;
  // Of a task that is none of this server there is nothing to be known but that it is named. Under a kill an agent does
  // not name it, and whose it is may only be known later.
  const foreign = task.timeoutMs === Number.POSITIVE_INFINITY && task.killListedMs === undefined;
  if (!isOpen && (task.stage === 'lost' || foreign || beat.nowMs > endMs)) return draft.forget(taskId);
  switch (task.stage) {
    case 'listed':
      return startUnnamed(reduction, task);
    case 'accepted':
    case 'named':
      return runUnnamed(reduction, task);
    case 'lost':
      return lose(reduction, task);
    default:
      task.stage satisfies never;
  }
}

export function noteTime({ draft, beat, open }: Reduction, taskId: number): void {
  const task = draft.tasks.get(taskId);
  if (!task || !mayRun(task)) return;
  const run = open.get(taskId);
  const killing = run?.clock === task.clock && run.status === 'killing';
  const overdue = task.begunMs !== undefined && beat.nowMs >= task.begunMs + task.timeoutMs;
  if (killing || overdue) draft.put(task, { killWanted: true });
}

/** Under another clock it is an older start, or one without a script, which says nothing of this one. */
function isNamed({ draft, beat }: Reduction, task: TrackedTask): boolean {
  const named = namedAs(task, beat);
  return named !== undefined && !draft.isScriptless(task.taskId, named.clock);
}

/** An agent works through a list before its next report, so on the same connection this one speaks of the outcome. */
function startUnnamed(reduction: Reduction, task: TrackedTask): void {
  const { draft, beat, begun } = reduction;
  const sameConnection = task.connection === beat.connection;
  if (!sameConnection && task.cached) {
    // The script may have begun, and ended its own agent. Started again it would do so again, and again.
    query(reduction, task);
  } else if (!sameConnection || draft.kind === LegacyKind.categraf) {
    // The script has not begun: it was not asked for here. The agent may have asked in vain, and have the task without it.
    draft.unlist(task.taskId);
  } else {
    draft.kind = LegacyKind.agentd;
    draft.put(task, { stage: 'accepted', hasProcess: !task.doubtful, begunMs: task.begunMs ?? beat.nowMs });
    begun.push(task);
  }
}

function runUnnamed(reduction: Reduction, task: TrackedTask): void {
  const { draft, beat } = reduction;
  // An agent keeps quiet about a task while it is killing it.
  if (task.killListedMs !== undefined && !task.endReported) return killUnnamed(reduction, task, task.killListedMs);
  // The agent may have restarted: its disk may have the result.
  if (task.connection !== beat.connection) return query(reduction, task);
  if (task.endReported) return lose(reduction, task);
  if (draft.kind === LegacyKind.categraf) return task.queried ? lose(reduction, task) : query(reduction, task);
  draft.kind = LegacyKind.agentd;
  const doubtful = task.doubtful && task.relistedOn !== beat.connection;
  draft.put(task, { stage: 'accepted', doubtful, hasProcess: !doubtful });
}

/** Without a proof of its process on this connection, as the agent may be another process since. */
function query({ draft, beat: { connection } }: Reduction, task: TrackedTask): void {
  draft.put(task, {
    stage: 'accepted',
    queried: true,
    connection,
    doubtful: task.doubtful || (task.scriptGiven && !task.hasProcess),
    hasProcess: false,
  });
}

function killUnnamed(reduction: Reduction, task: TrackedTask, listedMs: number): void {
  const { draft, beat } = reduction;
  const silent = draft.put(task, { connection: beat.connection });
  if (task.killAnswers >= KILL_ANSWERS && beat.nowMs - listedMs > KILL_PATIENCE_MS) lose(reduction, silent);
}

function lose({ draft, lost }: Reduction, task: TrackedTask): void {
  draft.put(task, { stage: 'lost' });
  lost.push(task);
}
