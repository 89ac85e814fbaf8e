import { CappedMap } from '../../shared/capped-map.js';
import type { Log } from '../../shared/log.js';

/** The reason for which an agent is turned away. */
export const RefusalKind = Object.freeze({
  /** another key is pinned for its Host */
  otherKey: 'other-key',
  /** it has the right key, and so has another one that is alive: a copy of a MetaDir */
  clone: 'clone',
  /** its Host is that of a living session for another reason */
  taken: 'taken',
  /** its Host differs from a known one only by letter case or blanks */
  name: 'name',
  /** its key was forgotten a moment ago */
  forgotten: 'forgotten',
} as const);
export type RefusalKind = (typeof RefusalKind)[keyof typeof RefusalKind];

export interface Refusal {
  readonly kind: RefusalKind;
  readonly address: string;
  readonly why: string;
  /** what an operator can do */
  readonly remedy: string;
}

export interface Refused extends Refusal {
  readonly atMs: number;
  /** how often this Host was refused to anyone since the server's start */
  readonly count: number;
}

/** The same refusal is logged once in so long, ms: a refused agent tries again every few seconds. */
const LOG_EVERY_MS = 60_000;
/** Hosts remembered; the one refused longest ago is forgotten first. */
const MAX_HOSTS = 10_000;

/** The last agent that was turned away under each Host, and how many were. */
export class Refusals {
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #byHost = new CappedMap<string, Refused & { readonly loggedMs: number }>(MAX_HOSTS);

  /** `nowMs`: unix ms */
  constructor(log: Log, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  get(host: string): Refused | undefined {
    return this.#byHost.get(host);
  }

  note(host: string, refusal: Refusal): void {
    const atMs = this.#nowMs();
    const before = this.#byHost.get(host);
    const count = (before?.count ?? 0) + 1;
    const repeated = before?.why === refusal.why && atMs - before.loggedMs < LOG_EVERY_MS;
    if (!repeated) this.#log.warn({ host, ...refusal, count }, 'agent refused');
    this.#byHost.set(host, { ...refusal, atMs, count, loggedMs: repeated ? before.loggedMs : atMs });
  }

  forget(host: string): void {
    this.#byHost.delete(host);
  }
}
