import type { RunId } from '../../shared/run-key.js';
import { startClockOf } from './wire-clock.js';

/** So many shells of one agent are known; of more the oldest is forgotten. */
const MAX_SHELLS = 1_000;

/**
 * Starts that certainly have no process on the agent. Mostly those whose scripts it asked for and did not get: it holds
 * each of them for ever and says that it runs; a kill would end the agent, and only a start under another clock makes it
 * ask again.
 */
export class ScriptlessStarts {
  readonly #clocks = new Map<number, number>();

  /** `wireClock`: under which the agent knows it */
  add(taskId: number, wireClock: number): void {
    this.#clocks.set(taskId, wireClock);
    const oldest = this.#clocks.keys().next();
    if (this.#clocks.size > MAX_SHELLS && !oldest.done) this.#clocks.delete(oldest.value);
  }

  delete(taskId: number): void {
    this.#clocks.delete(taskId);
  }

  has(taskId: number, wireClock: number): boolean {
    return this.#clocks.get(taskId) === wireClock;
  }

  /** Under which clock the agent has this run as a shell; undefined if it does not. */
  clockOf({ taskId, clock }: RunId): number | undefined {
    const wireClock = this.#clocks.get(taskId);
    return wireClock !== undefined && startClockOf(wireClock) === clock ? wireClock : undefined;
  }
}
