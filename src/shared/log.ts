import { dirname } from 'node:path';
import { pino } from 'pino';
import { ensureFolder } from './folder.js';

export const LogLevel = Object.freeze({ debug: 'debug', info: 'info', warn: 'warn', error: 'error' } as const);
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];

/** The part of a logger that ibex uses. Fields first, then a fixed sentence; scripts, stdin and secrets never go in. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

/** Lines that the destination refuses are kept up to here, and dropped beyond it. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024;

/** JSON lines on a file descriptor (2 = stderr, 1 = stdout), or appended to a file. Writes are synchronous: none is lost at exit. */
export function createLog(level: LogLevel, destination: 1 | 2 | string): Log {
  if (typeof destination === 'string') ensureFolder(dirname(destination), 0o777);
  const lines = pino.destination({
    dest: destination,
    sync: true,
    mode: 0o600,
    maxLength: MAX_UNWRITTEN_BYTES,
  });
  // A full disk or a reader that has left must not end the program: these lines are lost, later ones are tried again.
  lines.on('error', () => undefined);
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      // By its name, as in the agent's log.
      formatters: { level: (label) => ({ level: label }) },
    },
    lines,
  );
}
