import { plainTask } from '../../core/testing/plain-task.js';
import type { OpenRun } from '../../tasks/agent-gateway.js';
import { agentState, changed, type AgentState } from '../agent-state.js';
import { reduceReport } from '../reduce-report.js';
import type { AssignedTask, ReportedTask } from '../rpc-codec.js';
import { LegacyKind } from '../tracked-task.js';

export const START_MS = 1_000_000;
const meta = plainTask({ id: 1, created: new Date(START_MS + 1) });

export function run(changes: Partial<OpenRun> = {}): OpenRun {
  return {
    taskId: 1,
    clock: 100,
    status: 'running',
    meta,
    timeoutMs: 30_000,
    startUntilMs: START_MS + 30_000,
    assignedAtMs: START_MS + 1,
    dispatched: false,
    startedAtMs: null,
    startedMs: null,
    ...changes,
  };
}

export function named(status: string, clock = 100, stdout = ''): ReportedTask {
  return { taskId: 1, clock, status, stdout: Buffer.from(stdout), stderr: Buffer.alloc(0) };
}

/** One agent's state, event by event. */
export class Beats {
  state: AgentState;
  connection = 1;
  nowMs = START_MS + 10;
  pushedUntilMs = 0;
  /** ids of the ends that cannot be stored */
  unstored: ReadonlySet<number> = new Set();
  lost: number[] = [];
  neverStarted: number[] = [];
  #first = true;

  constructor(kind: LegacyKind = LegacyKind.unknown) {
    this.state = agentState(kind);
  }

  reconnect(): void {
    this.connection++;
    this.#first = true;
  }

  giveScript(of = run()): void {
    this.state = changed(this.state, (draft) => draft.giveScript(of, this.connection, this.nowMs));
  }

  withholdScript(): void {
    this.state = changed(this.state, (draft) => draft.withholdScript(1));
  }

  beat(open: readonly OpenRun[], ...tasks: readonly ReportedTask[]): readonly AssignedTask[] {
    return this.beatWithEnd(open, new Map(), ...tasks);
  }

  beatWithEnd(
    open: readonly OpenRun[],
    ended: ReadonlyMap<number, ReportedTask>,
    ...tasks: readonly ReportedTask[]
  ): readonly AssignedTask[] {
    const alive = new Map(tasks.map((task) => [task.taskId, task]));
    const beat = {
      nowMs: this.nowMs,
      connection: this.connection,
      first: this.#first,
      alive,
      ended,
      unstored: this.unstored,
    };
    this.#first = false;
    const since = { serverStartMs: START_MS, pushedUntilMs: this.pushedUntilMs };
    const outcome = reduceReport(this.state, beat, new Map(open.map((one) => [one.taskId, one])), since);
    this.state = outcome.state;
    this.neverStarted = outcome.neverStarted.map(({ taskId }) => taskId);
    this.lost = outcome.lost.map(({ taskId }) => taskId);
    return outcome.list;
  }
}
