/** Open tasks that this server schedules and has not read yet, or cannot read, with the hosts that have a run of them. */
export class UnreadTasks {
  readonly #hosts = new Map<number, ReadonlySet<string>>();
  readonly #loggedMs = new Map<number, number>();

  /** `hosts`: those on which a run of the task is under way. */
  add(taskId: number, hosts: Iterable<string>): void {
    this.#hosts.set(taskId, new Set(hosts));
  }

  /** The task was read, or is open no more. */
  delete(taskId: number): void {
    this.#hosts.delete(taskId);
    this.#loggedMs.delete(taskId);
  }

  /** True if such a task has a run on this host. */
  concerns(host: string): boolean {
    for (const hosts of this.#hosts.values()) if (hosts.has(host)) return true;
    return false;
  }

  /** When the log last said that the task cannot be read; minus infinity if never. */
  loggedMs(taskId: number): number {
    return this.#loggedMs.get(taskId) ?? Number.NEGATIVE_INFINITY;
  }

  noteLogged(taskId: number, nowMs: number): void {
    this.#loggedMs.set(taskId, nowMs);
  }
}
