import { MIN_SILENCE_MS, OPENING_TIMEOUT_MS, SILENT_INTERVALS } from '../../shared/protocol/limits.js';

/** When a session was heard and written to, and what follows from it. All times are monotonic ms. */
export class SessionLiveness {
  readonly #openedMs: number;
  #heardMs: number;
  #sentMs: number;
  /** of the agent's heartbeats; until the first one they are given as long as the opening */
  #intervalMs = OPENING_TIMEOUT_MS / SILENT_INTERVALS;
  #probes: (() => void)[] = [];

  constructor(nowMs: number) {
    this.#openedMs = nowMs;
    this.#heardMs = nowMs;
    this.#sentMs = nowMs;
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    if (this.#probes.length === 0) return;
    const probes = this.#probes;
    this.#probes = [];
    for (const answered of probes) answered();
  }

  sent(nowMs: number): void {
    this.#sentMs = nowMs;
  }

  beat(intervalMs: number): void {
    this.#intervalMs = intervalMs;
  }

  /** Any frame tells the agent that the server lives; without one, half the time it would wait is soon enough. */
  aliveDue(nowMs: number): boolean {
    return nowMs - this.#sentMs >= this.#patienceMs / 2;
  }

  openingOverdue(nowMs: number): boolean {
    return nowMs - this.#openedMs > OPENING_TIMEOUT_MS;
  }

  /** How long the agent has been silent, if that is too long. */
  silence(nowMs: number): number | undefined {
    const silentMs = nowMs - this.#heardMs;
    return silentMs > this.#patienceMs ? Math.round(silentMs) : undefined;
  }

  /** Resolves with true as soon as the agent is heard, with false if that takes longer. */
  nextHeard(withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs);
      this.#probes.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  get #patienceMs(): number {
    return Math.max(MIN_SILENCE_MS, SILENT_INTERVALS * this.#intervalMs);
  }
}
