interface Entry {
  readonly taskId: number;
  readonly atMs: number;
}

/** setTimeout counts in 32 bits; a longer wait is taken in pieces. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** One timer for any number of tasks, each with at most one time at which it wants to be woken. */
export class WakeQueue implements Disposable {
  readonly #nowMs: () => number;
  readonly #wake: (taskId: number) => void;
  readonly #times = new Map<number, number>();
  /** binary heap by time; entries that `#times` no longer agrees with are dropped when they come up */
  #heap: Entry[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(nowMs: () => number, wake: (taskId: number) => void) {
    this.#nowMs = nowMs;
    this.#wake = wake;
  }

  /** Replaces the task's time; infinity takes it out. */
  set(taskId: number, atMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY) {
      this.#times.delete(taskId);
      return;
    }
    if (this.#times.get(taskId) === atMs) return;
    this.#times.set(taskId, atMs);
    if (this.#heap.length > 2 * this.#times.size + 1_000) this.#rebuild();
    else this.#push({ taskId, atMs });
    this.#arm();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#times.clear();
    this.#heap = [];
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#nowMs();
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs; first = this.#heap[0]) {
      this.#pop();
      if (this.#times.get(first.taskId) !== first.atMs) continue;
      this.#times.delete(first.taskId);
      this.#wake(first.taskId);
    }
    this.#arm();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (!first || (this.#timer && this.#timerAtMs <= first.atMs)) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = first.atMs;
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, first.atMs - this.#nowMs()));
    this.#timer = setTimeout(() => this.#fire(), waitMs);
  }

  #rebuild(): void {
    this.#heap = [...this.#times].map(([taskId, atMs]) => ({ taskId, atMs })).sort((a, b) => a.atMs - b.atMs);
  }

  #push(entry: Entry): void {
    let at = this.#heap.length;
    this.#heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLater(parent, at)) break;
      at = parent;
    }
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const child = this.#atMs(right) < this.#atMs(left) ? right : left;
      if (child >= this.#heap.length || !this.#swapIfLater(at, child)) break;
      at = child;
    }
  }

  #swapIfLater(parent: number, child: number): boolean {
    const [upper, lower] = [this.#heap[parent], this.#heap[child]];
    if (!upper || !lower || upper.atMs <= lower.atMs) return false;
    this.#heap[parent] = lower;
    this.#heap[child] = upper;
    return true;
  }

  #atMs(position: number): number {
    return this.#heap[position]?.atMs ?? Number.POSITIVE_INFINITY;
  }
}
