import { appendFileSync, renameSync, statSync, writeSync } from 'node:fs';
import type { Log, LogLevel } from '../../shared/log.js';
import { parseRunKey, type RunKey } from '../../shared/run-key.js';

/** Takes one line of a log. A sink that throws loses the line, and gets the next one. */
type LineSink = (line: string) => void;

const ROTATE_BYTES = 1024 * 1024;

/** JSON lines with the keys of the server's log. pino, which writes that one, would cost every idle agent 4 MB. */
export class JsonLog implements Log {
  readonly #level: 'debug' | 'info';
  readonly #sink: LineSink;
  readonly #fields: object;

  constructor(level: 'debug' | 'info', sink: LineSink, fields: object = { pid: process.pid }) {
    this.#level = level;
    this.#sink = sink;
    this.#fields = fields;
  }

  debug(fields: object, message: string): void {
    if (this.#level === 'debug') this.#write('debug', fields, message);
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
    return new JsonLog(this.#level, this.#sink, { ...this.#fields, ...fields });
  }

  #write(level: LogLevel, fields: object, message: string): void {
    const line = { level, time: new Date().toISOString(), ...this.#fields, ...fields, msg: message };
    try {
      this.#sink(`${JSON.stringify(line)}\n`);
    } catch {
      // A full disk or a reader that has left ends neither an agent nor its scripts.
    }
  }
}

export function writeToStdout(line: string): void {
  writeSync(1, line);
}

/** Appends to a file of at most 1 MiB, and keeps one older file beside it. */
export function appendToRotated(path: string): LineSink {
  return (line) => {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > ROTATE_BYTES) renameSync(path, `${path}.1`);
    appendFileSync(path, line, { mode: 0o600 });
  };
}

/** Names a run in a log line: its task, its clock, and its folder below MetaDir/runs. */
export function runFields(folder: RunKey): object {
  const id = parseRunKey(folder);
  return { ...(id && { task: id.taskId, run: id.clock }), folder };
}
