import type { Log } from '../../shared/log.js';

export interface Refused {
  readonly atMs: number;
  readonly address: string;
  readonly why: string;
}

/** The same refusal is logged once in so long: a refused agent tries again every few seconds. */
const LOG_EVERY_MS = 60_000;
/** Hosts remembered; the one refused longest ago is forgotten first. */
const MAX_HOSTS = 10_000;

/** The last agent that was turned away under each Host, with the reason and what an operator can do. */
export class Refusals {
  readonly #log: Log;
  readonly #byHost = new Map<string, Refused & { readonly loggedMs: number }>();

  constructor(log: Log) {
    this.#log = log;
  }

  get(host: string): Refused | undefined {
    return this.#byHost.get(host);
  }

  note(host: string, address: string, why: string, remedy: string): void {
    const atMs = Date.now();
    const before = this.#byHost.get(host);
    const repeated = before?.why === why && atMs - before.loggedMs < LOG_EVERY_MS;
    if (!repeated) this.#log.warn({ host, address, why, remedy }, 'agent refused');
    this.#byHost.delete(host);
    this.#byHost.set(host, { atMs, address, why, loggedMs: repeated ? before.loggedMs : atMs });
    const oldest = this.#byHost.keys().next();
    if (this.#byHost.size > MAX_HOSTS && !oldest.done) this.#byHost.delete(oldest.value);
  }

  forget(host: string): void {
    this.#byHost.delete(host);
  }
}
