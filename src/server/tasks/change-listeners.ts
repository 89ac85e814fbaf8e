import type { HostState } from './task-service.js';

type Listener = (host: HostState) => void;

/** Who wants to know of a task's committed changes. */
export class ChangeListeners {
  readonly #listeners = new Map<number, Set<Listener>>();

  /** Until the returned function is called. */
  add(taskId: number, listener: Listener): () => void {
    let ofTask = this.#listeners.get(taskId);
    if (!ofTask) this.#listeners.set(taskId, (ofTask = new Set()));
    // The same function may be given twice and must then be called twice.
    const own: Listener = (host) => listener(host);
    ofTask.add(own);
    return () => {
      ofTask.delete(own);
      if (ofTask.size === 0 && this.#listeners.get(taskId) === ofTask) this.#listeners.delete(taskId);
    };
  }

  wanted(taskId: number): boolean {
    return this.#listeners.has(taskId);
  }

  taskIds(): readonly number[] {
    return [...this.#listeners.keys()];
  }

  tell(taskId: number, host: HostState): void {
    for (const listener of this.#listeners.get(taskId) ?? []) listener(host);
  }
}
