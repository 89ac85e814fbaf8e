import { isFinal, type HostStatus, type TaskAction } from '../../../shared/task-states.js';
import type { TaskChange, Tenure } from '../changes.js';
import type { OpenTask, TaskMeta } from '../records.js';

interface Row {
  readonly host: string;
  status: HostStatus;
  doing: { clock: number; action: 'start' | 'kill' } | undefined;
  /** starts that a row of details is there for: whether the true result is stored */
  readonly runs: Map<number, { startedMs: number | null; reported: boolean }>;
}

/**
 * The rows of one task and the guards under which they change, as the store keeps them; that the databases do so too is
 * shown by the store's own tests.
 */
export class Rows {
  readonly #meta: TaskMeta;
  #hosts: Row[] = [];
  #action: { action: TaskAction; clock: number } | undefined;
  scheduler = '';

  constructor(create: Extract<TaskChange, { kind: 'create-task' }>) {
    this.#meta = create.meta;
    this.#action = { action: create.action, clock: create.actionClock };
    this.scheduler = create.scheduler;
    this.#hosts = create.hosts.map(({ host, startClock }) => ({
      host,
      status: startClock === undefined ? 'waiting' : 'running',
      doing: startClock === undefined ? undefined : { clock: startClock, action: 'start' },
      runs: new Map(),
    }));
  }

  get ended(): boolean {
    return this.#action === undefined;
  }

  /** of the doing row of a host; undefined where it has none */
  doing(host: string): { readonly clock: number; readonly action: 'start' | 'kill' } | undefined {
    return this.#row(host)?.doing;
  }

  status(host: string): HostStatus | undefined {
    return this.#row(host)?.status;
  }

  open(): OpenTask | undefined {
    if (!this.#action) return undefined;
    return {
      meta: this.#meta,
      action: this.#action.action,
      actionClock: this.#action.clock,
      scheduler: this.scheduler,
      hosts: this.#hosts.map(({ host, status, doing, runs }) => {
        const startClock = Math.max(0, ...runs.keys(), doing?.action === 'start' ? doing.clock : 0);
        const run = runs.get(startClock);
        return {
          host,
          status,
          activeRun: isFinal(status) ? undefined : doing && { ...doing },
          strayClock: isFinal(status) ? doing?.clock : undefined,
          startClock,
          startedMs: run?.startedMs ?? null,
          reported: run?.reported ?? false,
          dispatched: run !== undefined,
        };
      }),
    };
  }

  /** All of the changes or none; false where one of them relies on what is not so any more. */
  commit(changes: readonly TaskChange[]): boolean {
    const before = { action: this.#action, hosts: this.#hosts };
    this.#hosts = this.#hosts.map((row) => ({ ...row, runs: new Map(row.runs) }));
    if (changes.every((change) => this.#apply(change))) return true;
    this.#action = before.action;
    this.#hosts = before.hosts;
    return false;
  }

  #apply(change: TaskChange): boolean {
    switch (change.kind) {
      case 'create-task':
        return false;
      case 'as-scheduler':
        return this.#isAs(change);
      case 'task-action':
        if (!this.#action) return false;
        this.#action = { action: change.action, clock: change.clock };
        return true;
      case 'touch-task':
        if (!this.#action) return false;
        this.#action = { ...this.#action, clock: change.clock };
        return true;
      case 'end-task':
        if (!this.#isAs(change) || this.#hosts.some(({ doing }) => doing)) return false;
        this.#action = undefined;
        return true;
      case 'drop-stray': {
        const row = this.#row(change.host);
        if (row?.doing?.clock === change.clock) row.doing = undefined;
        return true;
      }
      case 'dispatch-stored': {
        const row = this.#row(change.host);
        if (row?.doing?.action !== 'start' || row.doing.clock !== change.run.clock) return false;
        this.#keep(row, change.run.clock);
        return true;
      }
      case 'note-dispatch': {
        const row = this.#row(change.host);
        if (row) this.#keep(row, change.clock);
        return true;
      }
      case 'not-dispatched': {
        const row = this.#row(change.host);
        return row?.doing?.action === 'start' && row.doing.clock === change.clock && !row.runs.has(change.clock);
      }
      case 'host-started': {
        const row = this.#row(change.host);
        if (row) this.#keep(row, change.run.clock).startedMs = change.startedMs;
        return true;
      }
      case 'late-output': {
        const row = this.#row(change.host);
        if (row) this.#keep(row, change.detail.clock).reported = change.detail.endedMs !== null;
        return true;
      }
      case 'start-host':
        return this.#change(change, 'running', { clock: change.clock, action: 'start' });
      case 'kill-host': {
        const row = this.#row(change.host);
        if (row) this.#keep(row, change.startClock);
        return this.#change(change, 'killing', { clock: change.clock, action: 'kill' });
      }
      case 'end-host': {
        const { detail, host, to } = change;
        const row = this.#row(host);
        if (row && detail) this.#keep(row, detail.clock).reported = detail.endedMs !== null;
        return this.#change(change, to, undefined);
      }
      default:
        return change satisfies never;
    }
  }

  #isAs({ scheduler, action, actionClock }: Tenure): boolean {
    return this.scheduler === scheduler && this.#action?.action === action && this.#action.clock === actionClock;
  }

  #change(change: { readonly host: string; readonly from: HostStatus }, to: HostStatus, doing: Row['doing']): boolean {
    const row = this.#row(change.host);
    if (row?.status !== change.from) return false;
    row.status = to;
    row.doing = doing;
    return true;
  }

  #keep(row: Row, clock: number): { startedMs: number | null; reported: boolean } {
    let run = row.runs.get(clock);
    if (!run) row.runs.set(clock, (run = { startedMs: null, reported: false }));
    return run;
  }

  #row(host: string): Row | undefined {
    return this.#hosts.find((row) => row.host === host);
  }
}
