/** A link that wants, or has, the session with a server process. */
export interface Claimant {
  /** The process that it found taken is free again. */
  freed(): void;
}

/**
 * Knows which link has the session with each server process. Two addresses may lead to one process, which takes only one
 * session of an agent; the second link waits until the first one's session has ended.
 */
export class ServerInstances {
  readonly #holders = new Map<string, Claimant>();
  readonly #waiting = new Map<string, Set<Claimant>>();

  /** Returns false if another link has the session with this process; `freed()` is called when that session ends. */
  claim(instance: string, claimant: Claimant): boolean {
    const holder = this.#holders.get(instance);
    if (holder && holder !== claimant) {
      const waiting = this.#waiting.get(instance) ?? new Set();
      this.#waiting.set(instance, waiting.add(claimant));
      return false;
    }
    this.#holders.set(instance, claimant);
    return true;
  }

  release(instance: string, claimant: Claimant): void {
    if (this.#holders.get(instance) !== claimant) return;
    this.#holders.delete(instance);
    const waiting = this.#waiting.get(instance) ?? [];
    this.#waiting.delete(instance);
    for (const one of waiting) one.freed();
  }

  /** The claimant waits for nothing any more. */
  forget(claimant: Claimant): void {
    for (const [instance, waiting] of this.#waiting) {
      waiting.delete(claimant);
      if (waiting.size === 0) this.#waiting.delete(instance);
    }
  }
}
