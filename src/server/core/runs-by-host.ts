import type { RunId } from '../../shared/run-key.js';

const NONE: readonly RunId[] = Object.freeze([]);

/** Runs by host: at most one clock a task. */
export class RunsByHost {
  readonly #runs = new Map<string, Map<number, RunId>>();

  set(host: string, run: RunId): void {
    let ofHost = this.#runs.get(host);
    if (!ofHost) this.#runs.set(host, (ofHost = new Map<number, RunId>()));
    ofHost.set(run.taskId, run);
  }

  delete(host: string, taskId: number): void {
    const ofHost = this.#runs.get(host);
    if (ofHost?.delete(taskId) && ofHost.size === 0) this.#runs.delete(host);
  }

  deleteHost(host: string): void {
    this.#runs.delete(host);
  }

  get(host: string, taskId: number): RunId | undefined {
    return this.#runs.get(host)?.get(taskId);
  }

  of(host: string): readonly RunId[] {
    const ofHost = this.#runs.get(host);
    return ofHost ? [...ofHost.values()] : NONE;
  }
}
