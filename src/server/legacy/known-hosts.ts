import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { AgentRecords } from '../agents/agent-records.js';

export interface KnownHostsParts {
  readonly records: Pick<AgentRecords, 'keyless' | 'keylessByAge' | 'remove'>;
  /** Forgets all else that is known of a Host; false if it is connected or has something to do. */
  readonly forget: (host: string) => boolean;
  readonly log: Log;
  /** unix ms */
  readonly nowMs: () => number;
}

export interface KnownHostsLimits {
  /** Hosts of legacy agents that are remembered, whether they are connected or not */
  readonly hosts: number;
  /** a host that has been gone for so long is forgotten in any case */
  readonly goneMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const LIMITS: KnownHostsLimits = Object.freeze({ hosts: 50_000, goneMs: 90 * DAY_MS });
/** At the limit a tenth is forgotten at once, so that this is seldom looked into. */
const KEPT_SHARE = 0.9;
const LOOK_EVERY_MS = 60 * 60 * 1_000;
/** Between two looks at the limit, however many names come. */
const PAUSE_MS = 1_000;

/**
 * Bounds how many names of legacy agents are remembered. They have no key, so a client that is let in can invent names
 * for ever: at the limit the hosts that were seen longest ago are forgotten, here and in the database. A host that is
 * connected, or has anything to do, never is; so there can be more than the limit only while so many are connected.
 */
export class KnownHosts implements Disposable {
  readonly #parts: KnownHostsParts;
  readonly #limits: KnownHostsLimits;
  readonly #timer: NodeJS.Timeout;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: KnownHostsParts, limits = LIMITS) {
    this.#parts = parts;
    this.#limits = limits;
    this.#timer = setInterval(() => void this.forgetGone(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** A name that was not known has come. */
  came(): void {
    if (this.#parts.records.keyless <= this.#limits.hosts || performance.now() < this.#lookedMs + PAUSE_MS) return;
    void this.forgetGone();
  }

  /** Resolves when the database has forgotten them too, or can't now: then they are known again after a restart. */
  async forgetGone(): Promise<void> {
    this.#lookedMs = performance.now();
    const { records, forget, log, nowMs } = this.#parts;
    const { hosts, goneMs } = this.#limits;
    const overLimit = records.keyless > hosts;
    const surplus = overLimit ? records.keyless - Math.floor(hosts * KEPT_SHARE) : 0;
    const goneBeforeMs = nowMs() - goneMs;
    const forgotten = [];
    for (const record of records.keylessByAge()) {
      if (forgotten.length >= surplus && record.lastSeenMs >= goneBeforeMs) break;
      if (forget(record.host)) forgotten.push(record);
    }
    if (forgotten.length === 0) return;
    const why = overLimit ? `more than ${hosts} names of legacy agents are known` : 'gone for long';
    log.warn({ hosts: forgotten.length, first: forgotten[0]?.host, why }, 'hosts of legacy agents are forgotten');
    try {
      await records.remove(forgotten);
    } catch (error) {
      log.warn({ err: describeError(error) }, 'the database still knows hosts that are forgotten here');
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
