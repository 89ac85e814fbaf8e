/**
 * Lets the other servers of a database refresh a task at once instead of within about a second. A message may be lost;
 * nothing depends on it.
 */
export interface Notifier extends AsyncDisposable {
  /** The task has changed in a way that concerns peers. */
  publish(taskId: number): void;
  /** Calls back with the tasks that peers publish. One listener. */
  subscribe(listener: (taskIds: readonly number[]) => void): void;
}

/** For servers without Redis. */
export const NO_NOTIFIER: Notifier = {
  publish: () => undefined,
  subscribe: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
