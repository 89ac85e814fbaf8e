import { describeError } from './errors.js';
import type { Log } from './log.js';

/** Warns of work that fails again and again: once for each time that it had succeeded before. */
export class LogOnce {
  readonly #log: Pick<Log, 'warn'>;
  readonly #message: string;
  #failing = false;

  constructor(log: Pick<Log, 'warn'>, message: string) {
    this.#log = log;
    this.#message = message;
  }

  failed(error: unknown): void {
    if (!this.#failing) this.#log.warn({ err: describeError(error) }, this.#message);
    this.#failing = true;
  }

  succeeded(): void {
    this.#failing = false;
  }
}
