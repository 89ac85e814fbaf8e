/**
 * Tells the other servers of a database at once what they would else find in it within about a second. Hints may be
 * lost; nothing depends on them.
 */
export interface Hints extends AsyncDisposable {
  /** Something of this task concerns others. */
  tell(taskId: number): void;
  /** Calls back with tasks that others have told of. One listener. */
  onTold(listener: (taskIds: readonly number[]) => void): void;
}

/** Where there is nothing to tell them by. */
export const NO_HINTS: Hints = {
  tell: () => undefined,
  onTold: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
