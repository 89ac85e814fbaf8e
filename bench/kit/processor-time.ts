import { round } from './percentiles.js';
import { cpuSeconds } from './processes.js';

const MICROSECONDS = 1_000_000;

/**
 * Who used how much of the processors for a piece of work: on a machine that everything shares, that tells more than
 * the time it took, and it is what can be compared between a busy and a quiet one.
 */
export class ProcessorTime {
  readonly #pids: Readonly<Record<string, number>>;
  readonly #before: Readonly<Record<string, number>>;

  /** Counts from now. Names of the figures by pid; 0 is left out. */
  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = Object.fromEntries(Object.entries(pids).filter(([, pid]) => pid > 0));
    this.#before = this.#seconds();
  }

  /** Microseconds of processor time so far for each of `count` pieces of work, in ticks of 10 ms. */
  each(count: number): Record<string, number> {
    const now = this.#seconds();
    return Object.fromEntries(
      Object.entries(now).map(([name, seconds]) => [
        `${name}CpuUs`,
        round(((seconds - (this.#before[name] ?? 0)) * MICROSECONDS) / count),
      ]),
    );
  }

  #seconds(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.#pids).map(([name, pid]) => [name, cpuSeconds(pid)]));
  }
}
