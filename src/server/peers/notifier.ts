/**
 * Tells the other servers of a database at once what they would else find in it within about a second. Hints may be
 * lost; nothing depends on them.
 */
export interface Notifier extends AsyncDisposable {
  /** Something of this task concerns others. */
  publish(taskId: number): void;
  /** Calls back with tasks that others have told of. One listener. */
  subscribe(listener: (taskIds: readonly number[]) => void): void;
}

/** Where there is nothing to tell them by. */
export const NO_NOTIFIER: Notifier = {
  publish: () => undefined,
  subscribe: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
