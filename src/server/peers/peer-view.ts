import type { Snapshot } from '../core/records.js';
import { RunsByHost } from '../core/runs-by-host.js';
import type { RunId } from '../../shared/run-key.js';
import type { ServerMark } from '../store/store.js';
import { isDead, livingServers } from './liveness.js';

/** The living servers of our kind: the newest process of each, by the server's name. */
export type Servers = ReadonlyMap<string, string>;

/**
 * What the database last said of the other programs on it. The reconciler notes it here; everybody else only asks. A
 * peer is any other program that schedules tasks on this database.
 */
export class PeerView {
  readonly #name: string;
  readonly #present: (host: string) => boolean;
  readonly #unreconciled = new Set<string>();
  #tasks = new Set<number>();
  #runs = new RunsByHost();
  #servers: Servers = new Map();
  #foreignSchedulerAlive = false;

  /** `name`: of this server in the tables. `present`: the host's agent has a session here. */
  constructor(name: string, present: (host: string) => boolean) {
    this.#name = name;
    this.#present = present;
  }

  /** True if a peer is known to own the task. */
  ownsTask(taskId: number): boolean {
    return this.#tasks.has(taskId);
  }

  /** The run of a peer's task that the host's agent has, or will have, if it has a session here. */
  run(host: string, taskId: number): RunId | undefined {
    return this.#runs.get(host, taskId);
  }

  /** All such runs of the host. */
  runs(host: string): readonly RunId[] {
    return this.#runs.of(host);
  }

  /** False from the arrival of a host's agent until it is known what peers have for it. */
  isReconciled(host: string): boolean {
    return !this.#unreconciled.has(host);
  }

  /** A program of another kind lives, and may pass on a run of such a host without leaving a note of it. */
  foreignSchedulerMayReach(host: string): boolean {
    return this.#foreignSchedulerAlive && !this.#present(host);
  }

  get servers(): Servers {
    return this.#servers;
  }

  get unreconciledHosts(): readonly string[] {
    return [...this.#unreconciled];
  }

  noteServers(marks: readonly ServerMark[]): void {
    this.#servers = new Map(livingServers(marks).map(({ name, instance }) => [name, instance]));
  }

  /** `silence`: ms since the last sign of life of each scheduler. */
  noteSnapshot({ tasks, activeRuns }: Snapshot, silence: ReadonlyMap<string, number>): void {
    this.#tasks = new Set();
    this.noteTasks(tasks);
    this.#runs = new RunsByHost();
    for (const { taskId, host, clock, action } of activeRuns) {
      if (action === 'start' && this.#tasks.has(taskId) && this.#present(host)) this.#runs.set(host, { taskId, clock });
    }
    this.#foreignSchedulerAlive = [...silence].some(
      ([name, silentMs]) => name !== this.#name && !this.#servers.has(name) && !isDead(silentMs),
    );
  }

  /** Tasks that were seen since the last snapshot of all. */
  noteTasks(tasks: Snapshot['tasks']): void {
    for (const { taskId, scheduler } of tasks) if (scheduler !== this.#name) this.#tasks.add(taskId);
  }

  noteConnected(host: string): void {
    this.#unreconciled.add(host);
  }

  /** These hosts are reconciled now, but for those with a run of a task that could not be read. */
  noteReconciled(hosts: readonly string[], unread: ReadonlySet<number>, activeRuns: Snapshot['activeRuns']): void {
    const unclear = new Set(activeRuns.flatMap(({ taskId, host }) => (unread.has(taskId) ? host : [])));
    for (const host of hosts) if (!unclear.has(host)) this.#unreconciled.delete(host);
  }
}
