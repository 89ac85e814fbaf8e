import { readStat, signalGroup, type ProcessIdentity, type ProcessStat } from '../runs/process-identity.js';

/**
 * The processes of a script: its session, its process group and its descendants, as each sweep sees them. A process that
 * a sweep has seen stays a member. A process that had left session and tree before the first sweep (a daemon) is not
 * found, and so is left alone.
 */
export class ScriptTree {
  readonly #outside: ReadonlySet<number>;
  readonly #outsideSession: number | undefined;
  readonly #members = new Map<number, string>();
  readonly #sessions = new Set<number>();
  readonly #groups = new Set<number>();
  readonly #script: ProcessIdentity;

  /** `launcher` leads the terminal's session, which is not the script's; neither it nor the executor is ever a target. */
  constructor(script: ProcessIdentity, launcher: ProcessStat | undefined, executorPid: number) {
    this.#script = script;
    this.#members.set(script.pid, script.startTime);
    // The script calls setsid a moment after its launcher noted it, and may be dead before a sweep sees it as leader.
    this.#sessions.add(script.pid);
    this.#groups.add(script.pid);
    this.#outside = new Set([1, executorPid, ...(launcher ? [launcher.pid] : [])]);
    // Its stat may have been read before it became the leader of its session.
    this.#outsideSession = launcher?.pid;
  }

  /** Takes in processes that are known to belong to it. */
  include(known: readonly ProcessIdentity[]): void {
    for (const { pid, startTime } of known) this.#members.set(pid, startTime);
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

  /**
   * Signals the script's own process group as a whole. The kernel does that in one step, so it also meets processes
   * that hand over to new ones faster than any sweep can see them.
   */
  signalGroup(signal: NodeJS.Signals): void {
    const leader = readStat(this.#script.pid);
    // A number that was given to another process proves that the group is empty.
    if (leader && leader.startTime !== this.#script.startTime) return;
    if (!this.#outside.has(this.#script.pid)) signalGroup(this.#script.pid, signal);
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
