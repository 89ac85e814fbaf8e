import type { ProcessIdentity, ProcessStat } from '../runs/process-identity.js';

/**
 * Which processes belong to a script: its session, its process group and its descendants, as far as they can be seen
 * at any sweep; what was once seen in it stays in it. A process that had left session and tree before the first sweep
 * (a daemon) is not found, and so is left alone.
 */
export class ScriptTree {
  readonly #outside: ReadonlySet<number>;
  readonly #outsideSession: number | undefined;
  readonly #members = new Map<number, string>();
  readonly #sessions = new Set<number>();
  readonly #groups = new Set<number>();

  /** `launcher` leads the terminal's session, which is not the script's; neither it nor the executor is ever a target. */
  constructor(script: ProcessIdentity, launcher: ProcessStat | undefined, executorPid: number) {
    this.#members.set(script.pid, script.startTime);
    this.#outside = new Set([1, executorPid, ...(launcher ? [launcher.pid] : [])]);
    this.#outsideSession = launcher?.session;
  }

  /** Takes in a new process table and returns the members that live; zombies don't count. */
  sweep(table: readonly ProcessStat[]): ProcessStat[] {
    const childrenOf = Map.groupBy(table, (process) => process.parent);
    const found = new Map<number, ProcessStat>();
    // Joining a member's session or group can bring in processes that were looked at already: repeat until none joins.
    for (let before = -1; before !== found.size;) {
      before = found.size;
      for (const process of table) this.#visit(process, childrenOf, found);
    }
    return [...found.values()].filter((process) => process.state !== 'Z' && process.state !== 'X');
  }

  #visit(start: ProcessStat, childrenOf: Map<number, ProcessStat[]>, found: Map<number, ProcessStat>): void {
    if (!this.#belongs(start)) return;
    const pending = [start];
    for (let process = pending.pop(); process; process = pending.pop()) {
      if (found.has(process.pid) || this.#outside.has(process.pid)) continue;
      found.set(process.pid, process);
      this.#join(process);
      pending.push(...(childrenOf.get(process.pid) ?? []));
    }
  }

  #belongs(process: ProcessStat): boolean {
    if (this.#outside.has(process.pid)) return false;
    if (this.#members.get(process.pid) === process.startTime) return true;
    return this.#sessions.has(process.session) || this.#groups.has(process.group);
  }

  #join(process: ProcessStat): void {
    this.#members.set(process.pid, process.startTime);
    // Between fork and setsid a script is still in the launcher's session and group.
    if (process.session === this.#outsideSession || process.session === 0) return;
    this.#sessions.add(process.session);
    this.#groups.add(process.group);
  }
}
