import { EMPTY_REPORT } from '../../../shared/run-report.js';
import type { HostStatus, RunOutcome, TaskAction } from '../../../shared/task-states.js';
import type { TaskChange } from '../changes.js';
import { firstStep } from '../first-step.js';
import type { Answer, Effect, ListedEvent, TaskEvent } from '../events.js';
import { reduce } from '../reduce.js';
import { hostEntry, type HostEntry, type TaskState } from '../task-state.js';
import { plainTask } from './plain-task.js';

export const START_MS = 1_800_000_000_400;
export const CLOCK = 1_800_000_000;

export interface Wishes {
  readonly hosts?: readonly string[];
  readonly action?: TaskAction;
  readonly batch?: number;
  readonly tolerance?: number;
  /** seconds */
  readonly timeout?: number;
  readonly pause?: string;
  readonly startWithinMs?: number;
}

/** A task under a clock and agents of our own making. */
export class Play {
  nowMs = START_MS;
  /** of agents that ask for their work */
  beatMs = 0;
  readonly connected = new Set<string>();
  readonly held = new Set<string>();
  state: TaskState;
  /** of the last step, without the proof that this server may make them */
  changes: readonly TaskChange[];
  effects: readonly Effect[];

  constructor(wishes: Wishes = {}) {
    const { hosts = ['a', 'b'], action = 'start', startWithinMs = Infinity, ...rules } = wishes;
    const meta = plainTask({ id: 7, created: new Date(CLOCK * 1_000), ...rules });
    const step = firstStep(meta, action, hosts, startWithinMs, this.#context());
    ({ state: this.state, changes: this.changes, effects: this.effects } = step);
  }

  send(...events: readonly TaskEvent[]): readonly Answer[] {
    const step = reduce(this.state, events, this.#context());
    ({ state: this.state, effects: this.effects } = step);
    this.changes = step.changes.filter(({ kind }) => kind !== 'as-scheduler');
    return step.answers;
  }

  act(action: TaskAction): Answer | undefined {
    return this.send({ kind: 'task-action', action })[0];
  }

  actOn(host: string, action: 'ignore' | 'redo' | 'kill'): Answer | undefined {
    return this.send({ kind: 'host-action', host, action })[0];
  }

  end(host: string, status: RunOutcome = 'success', clock = this.entry(host).startClock): Answer | undefined {
    return this.send(resultOf(host, clock, status))[0];
  }

  list(host: string, runs: ListedEvent['runs'], newStore = false): void {
    this.send({ kind: 'listed', host, runs, newStore });
  }

  /** Lets the clock run to the next time that the task asked for, as often as it takes. */
  wakeUntil(done: () => boolean): void {
    for (let wakes = 0; !done(); wakes++) {
      if (wakes >= 100 || !Number.isFinite(this.state.wakeAtMs)) throw new Error('the task does not ask to be woken');
      this.nowMs = Math.max(this.nowMs, this.state.wakeAtMs);
      this.send({ kind: 'wake' });
    }
  }

  entry(host: string): HostEntry {
    const entry = hostEntry(this.state, host);
    if (!entry) throw new Error(`no host ${host}`);
    return entry;
  }

  statuses(): readonly HostStatus[] {
    return this.state.hosts.map(({ status }) => status);
  }

  #context() {
    return {
      nowMs: this.nowMs,
      scheduler: 'me',
      shared: false,
      reach: {
        beatMs: () => this.beatMs,
        foreignSchedulerMayReach: () => false,
        connected: (host: string) => this.connected.has(host),
        holds: (host: string, clock: number) => this.held.has(`${host} ${clock}`),
      },
    };
  }
}

export function resultOf(host: string, clock: number, status: RunOutcome, startedMs: number | null = 1): TaskEvent {
  const report = { ...EMPTY_REPORT, exitCode: status === 'success' ? 0 : 1, startedMs, endedMs: 2, stdoutBytes: 3 };
  return { kind: 'result', host, clock, status, output: { stdout: `${clock}`, stderr: '' }, report };
}
