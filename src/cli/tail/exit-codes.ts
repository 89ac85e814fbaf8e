/** With what `ibex run`, `tail` and `hosts` end. README.md tells them to people. */
export const ExitCode = Object.freeze({
  /** every host succeeded */
  ok: 0,
  /** some hosts did not succeed, or bytes that --raw was to show are missing */
  failed: 1,
  /** wrong usage, no server, or a request that it refused: nothing was done */
  usage: 2,
  /** the task has paused, with hosts that were not started */
  paused: 3,
  /** Ctrl+C; the task goes on */
  interrupted: 130,
  /** the reader of standard output has left, as after `| head`; the task goes on */
  readerLeft: 141,
  /** SIGTERM; the task goes on */
  terminated: 143,
} as const);
