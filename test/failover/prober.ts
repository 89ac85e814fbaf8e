import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../harness/api.ts';

const EVERY_MS = 250;

/** Posts a small task four times a second, and notes how long its script takes to begin. */
export class Prober {
  readonly #api: Api;
  readonly #host: string;
  readonly #stop = new AbortController();
  readonly #probing: Promise<void>;
  #waitsMs: number[] = [];

  constructor(api: Api, host: string) {
    this.#api = api;
    this.#host = host;
    this.#probing = this.#probe();
    // Told by stop().
    this.#probing.catch(() => undefined);
  }

  /** Milliseconds from POST to the script's own look at the clock since the last call, and how many there were. */
  take(): { readonly n: number; readonly p50: number; readonly p99: number; readonly max: number } {
    const sorted = this.#waitsMs.sort((a, b) => a - b);
    this.#waitsMs = [];
    const at = (share: number): number => Math.round(10 * (sorted[Math.floor((sorted.length - 1) * share)] ?? 0)) / 10;
    return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }

  /** Rejects if a probe went wrong. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#probing;
  }

  async #probe(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const postedMs = performance.timeOrigin + performance.now();
      const taskId = await this.#api.create({ script: 'date +%s%N', hosts: [this.#host] });
      await this.#api.settled(taskId);
      const startedMs = Number(await this.#api.stdout(taskId, this.#host)) / 1e6;
      this.#waitsMs.push(startedMs - postedMs);
      await sleep(EVERY_MS);
    }
  }
}
