import { writeSync } from 'node:fs';
import type { Log } from '../shared/log.js';

/** The numbers of pino, whose lines these are; the package itself would cost every idle agent 4 MB. */
const LEVELS = Object.freeze({ debug: 20, info: 30, warn: 40, error: 50 } as const);
type Level = keyof typeof LEVELS;

/**
 * JSON lines on standard output, with the same fields as the server's. What a full disk or a reader that has left
 * refuses is lost.
 */
export class JsonLog implements Log {
  readonly #least: 'debug' | 'info';
  readonly #fields: object;

  constructor(least: 'debug' | 'info', fields: object = { pid: process.pid }) {
    this.#least = least;
    this.#fields = fields;
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#write('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#write('error', fields, message);
  }

  child(fields: object): Log {
    return new JsonLog(this.#least, { ...this.#fields, ...fields });
  }

  #write(level: Level, fields: object, message: string): void {
    if (LEVELS[level] < LEVELS[this.#least]) return;
    const head = { level: LEVELS[level], time: new Date().toISOString() };
    const line = JSON.stringify({ ...head, ...this.#fields, ...fields, msg: message });
    try {
      writeSync(1, `${line}\n`);
    } catch {
      // Later lines are tried again.
    }
  }
}
