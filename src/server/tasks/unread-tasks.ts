/** Between two lines in the log about a task that cannot be read, ms. */
const COMPLAIN_EVERY_MS = 60_000;

/** Open tasks that cannot be read, and the hosts for which it is not known therefore what they have to do. */
export class UnreadTasks {
  readonly #hosts = new Map<number, ReadonlySet<string>>();
  readonly #complainedMs = new Map<number, number>();

  /** `hosts`: those on which a run of the task is under way. */
  add(taskId: number, hosts: Iterable<string>): void {
    this.#hosts.set(taskId, new Set(hosts));
  }

  /** It was read, or is no more. */
  delete(taskId: number): void {
    this.#hosts.delete(taskId);
    this.#complainedMs.delete(taskId);
  }

  /** True if such a task has a run on this host. */
  concern(host: string): boolean {
    for (const hosts of this.#hosts.values()) if (hosts.has(host)) return true;
    return false;
  }

  /** True if it is time again to tell of this task. */
  complains(taskId: number, nowMs: number): boolean {
    const lastMs = this.#complainedMs.get(taskId);
    if (lastMs !== undefined && nowMs - lastMs < COMPLAIN_EVERY_MS) return false;
    this.#complainedMs.set(taskId, nowMs);
    return true;
  }
}
