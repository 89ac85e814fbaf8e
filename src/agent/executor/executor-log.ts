import { appendFileSync, renameSync, statSync } from 'node:fs';

const LIMIT_BYTES = 1024 * 1024;

/**
 * The executor's own log: JSON lines with the keys of the other logs, at most 1 MiB and one older file. Not the
 * link's stdout: the executor outlives whoever reads that. Not pino: it would cost each agent some megabytes twice.
 */
export class ExecutorLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  write(level: 'info' | 'error', fields: object): void {
    const line = { level, time: new Date().toISOString(), pid: process.pid, ...fields };
    try {
      this.#rotate();
      appendFileSync(this.#path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
    } catch {
      // A log that can't be written must not end the scripts.
    }
  }

  #rotate(): void {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > LIMIT_BYTES) renameSync(this.#path, `${this.#path}.1`);
  }
}
