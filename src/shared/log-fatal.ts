import { describeError, errorStack, UserError } from './errors.js';
import type { Log } from './log.js';

/**
 * Says in the log why a service ends, and on standard error to a person at a terminal who does not see the log.
 */
export function logFatal(log: Pick<Log, 'error'>, message: string, error: unknown, logIsSeen: boolean): void {
  log.error({ err: error instanceof UserError ? error.message : errorStack(error) }, message);
  if (!logIsSeen && process.stderr.isTTY) process.stderr.write(`ibex: ${describeError(error)}\n`);
}
