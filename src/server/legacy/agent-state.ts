import { CappedMap } from '../../shared/capped-map.js';
import type { OpenRun, SettledRun } from '../tasks/agent-gateway.js';
import type { RunId } from '../../shared/run-key.js';
import { trackedTask, type LegacyKind, type TrackedTask } from './tracked-task.js';
import type { ReportedTask } from './rpc-codec.js';
import { startClockOf } from './wire-clock.js';

/** Starts without a script that are remembered of one agent; of more the oldest is forgotten. */
const MAX_SCRIPTLESS = 1_000;
/** Ids with a script that are remembered of one agent: so many of these parts. */
const ID_PARTS = 16;
const IDS_A_PART = 64;

/** The server's knowledge of one legacy agent. It is never changed: each event makes the next one of it. */
export interface AgentState {
  readonly kind: LegacyKind;
  readonly tasks: ReadonlyMap<number, TrackedTask>;
  /**
   * Starts that certainly have no process, by task: the clock under which the agent knows each. Mostly those whose
   * scripts it asked for and did not get: it holds each of them for ever and says that it runs; a kill would end the
   * agent, and only a start under another clock makes it ask again.
   */
  readonly scriptless: ReadonlyMap<number, number>;
  /** tasks whose scripts it was given: it keeps them, and starts them again without asking */
  readonly scripts: RecentIds;
}

/** The last thousand ids that were added. Adding makes a new set, which shares all but the newest part with the old. */
export class RecentIds {
  readonly #parts: readonly ReadonlySet<number>[];

  constructor(parts: readonly ReadonlySet<number>[] = []) {
    this.#parts = parts;
  }

  has(id: number): boolean {
    return this.#parts.some((part) => part.has(id));
  }

  with(id: number): RecentIds {
    if (this.has(id)) return this;
    const newest = this.#parts.at(-1);
    if (newest && newest.size < IDS_A_PART)
      return new RecentIds([...this.#parts.slice(0, -1), new Set(newest).add(id)]);
    return new RecentIds([...this.#parts.slice(1 - ID_PARTS), new Set([id])]);
  }

  without(id: number): RecentIds {
    if (!this.has(id)) return this;
    return new RecentIds(
      this.#parts.map((part) => (part.has(id) ? new Set([...part].filter((one) => one !== id)) : part)),
    );
  }
}

export function agentState(kind: LegacyKind): AgentState {
  return { kind, tasks: new Map(), scriptless: new Map(), scripts: new RecentIds() };
}

/** Collects the changes that one event makes. It copies no part of the state before that part changes. */
export class AgentDraft {
  kind: LegacyKind;
  scripts: RecentIds;
  readonly #before: AgentState;
  #tasks: Map<number, TrackedTask> | undefined;
  #scriptless: Map<number, number> | undefined;

  constructor(before: AgentState) {
    this.kind = before.kind;
    this.scripts = before.scripts;
    this.#before = before;
  }

  /** The state with the changes; the one before if there are none. */
  get state(): AgentState {
    const { kind, tasks, scriptless, scripts } = this;
    const before = this.#before;
    const same = kind === before.kind && tasks === before.tasks && scriptless === before.scriptless;
    return same && scripts === before.scripts ? before : { kind, tasks, scriptless, scripts };
  }

  get tasks(): ReadonlyMap<number, TrackedTask> {
    return this.#tasks ?? this.#before.tasks;
  }

  get scriptless(): ReadonlyMap<number, number> {
    return this.#scriptless ?? this.#before.scriptless;
  }

  /** Puts in a task, known or not, with these of its values changed. */
  put(task: TrackedTask, changes: Partial<TrackedTask>): TrackedTask {
    const { taskId } = task;
    if (this.tasks.get(taskId) === task && isSame(task, changes)) return task;
    const next = { ...task, ...changes };
    this.#tasks ??= new Map(this.#before.tasks);
    this.#tasks.set(taskId, next);
    return next;
  }

  forget(taskId: number): void {
    if (this.tasks.has(taskId)) (this.#tasks ??= new Map(this.#before.tasks)).delete(taskId);
  }

  /** Under that clock the agent has no process of the task. */
  addScriptless(taskId: number, wireClock: number): void {
    if (!this.isScriptless(taskId, wireClock))
      (this.#scriptless ??= copyOf(this.#before.scriptless)).set(taskId, wireClock);
  }

  /** True if the agent knows this start under this clock, and certainly has no process for it. */
  isScriptless(taskId: number, wireClock: number): boolean {
    return this.scriptless.get(taskId) === wireClock;
  }

  /** The clock under which the agent has this run without its script; undefined if it does not. */
  scriptlessClock({ taskId, clock }: RunId): number | undefined {
    const wireClock = this.scriptless.get(taskId);
    return wireClock !== undefined && startClockOf(wireClock) === clock ? wireClock : undefined;
  }

  /** The task was to be listed, and was not after all: under that clock nothing has begun, nor ever will. */
  unlist(taskId: number): void {
    const task = this.tasks.get(taskId);
    if (!task) return;
    this.forget(taskId);
    this.addScriptless(taskId, task.wireClock);
  }

  /** The script of a run is about to be given. */
  giveScript(run: OpenRun, connection: number, nowMs: number): void {
    const { taskId, clock, timeoutMs } = run;
    const known = this.tasks.get(taskId);
    const task = known?.clock === clock ? known : trackedTask(taskId, clock, 'accepted', connection);
    this.put(task, {
      stage: task.stage === 'listed' ? 'accepted' : task.stage,
      connection,
      origin: connection,
      scriptGiven: true,
      timeoutMs,
      begunMs: task.begunMs ?? nowMs,
    });
    if (this.scriptless.has(taskId)) (this.#scriptless ??= copyOf(this.#before.scriptless)).delete(taskId);
    this.scripts = this.scripts.with(taskId);
  }

  /** The agent asked for the script of a task, and does not get it. */
  withholdScript(taskId: number): void {
    this.scripts = this.scripts.without(taskId);
    this.unlist(taskId);
  }

  /** Scheduling was asked about a run that it is done with. `settled`: its answer, if it knows the run. */
  noteLookUp({ taskId, clock }: RunId, lookedUp: boolean, settled?: SettledRun): void {
    const task = this.tasks.get(taskId);
    if (task?.clock !== clock) return;
    this.put(task, {
      lookedUp,
      timeoutMs: settled?.timeoutMs ?? task.timeoutMs,
      killWanted: task.killWanted || (settled?.killWanted ?? false),
    });
  }

  /**
   * Tells of scripts that the agent asked for before it gave its name, by task: true where it got the script. Returns
   * the runs that have begun by that.
   */
  attributeScripts(
    asked: ReadonlyMap<number, boolean>,
    report: { readonly tasks: readonly ReportedTask[]; readonly connection: number; readonly nowMs: number },
    open: ReadonlyMap<number, OpenRun>,
  ): readonly OpenRun[] {
    const begun: OpenRun[] = [];
    for (const [taskId, given] of asked) {
      const run = open.get(taskId);
      if (!given) {
        const wireClock = report.tasks.find((task) => task.taskId === taskId)?.clock ?? run?.clock;
        if (wireClock !== undefined) this.addScriptless(taskId, wireClock);
      } else if (run?.status === 'running' && (!run.dispatched || this.tasks.get(taskId)?.clock === run.clock)) {
        this.giveScript(run, report.connection, report.nowMs);
        begun.push(run);
      }
    }
    return begun;
  }
}

/** The state after one event, which makes these changes. */
export function changed(state: AgentState, change: (draft: AgentDraft) => void): AgentState {
  const draft = new AgentDraft(state);
  change(draft);
  return draft.state;
}

function isSame(task: TrackedTask, changes: Partial<TrackedTask>): boolean {
  for (const key in changes) {
    const name = key as keyof TrackedTask;
    if (task[name] !== changes[name]) return false;
  }
  return true;
}

function copyOf(scriptless: ReadonlyMap<number, number>): Map<number, number> {
  return new CappedMap(MAX_SCRIPTLESS, scriptless);
}
