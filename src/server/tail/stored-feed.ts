import type { Store } from '../store/store.js';
import type { OutputFeed } from './output-feed.js';

/**
 * Sends stored outputs of one tail's hosts, one host after another, so that never more than one host's output is in
 * memory. Waiting hosts are bounded by those of the task.
 */
export class StoredFeed {
  readonly #store: Pick<Store, 'outputs'>;
  readonly #taskId: number;
  readonly #failed: (error: unknown) => void;
  readonly #waiting = new Set<OutputFeed>();
  #running = false;
  #stopped = false;

  /** `failed`: the store did not answer; nothing more is sent then. */
  constructor(store: Pick<Store, 'outputs'>, taskId: number, failed: (error: unknown) => void) {
    this.#store = store;
    this.#taskId = taskId;
    this.#failed = failed;
  }

  add(output: OutputFeed): void {
    this.#waiting.add(output);
    if (this.#running) return;
    this.#running = true;
    this.#run().catch((error: unknown) => this.#failed(error));
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
  }

  async #run(): Promise<void> {
    for (const output of this.#waiting) {
      this.#waiting.delete(output);
      output.tryAgent();
      if (output.wantsStored) await this.#send(output);
      if (this.#stopped) return;
    }
    this.#running = false;
  }

  async #send(output: OutputFeed): Promise<void> {
    const { clock, detail } = output;
    const rows = await this.#store.outputs(this.#taskId, output.host);
    const row = rows.find(({ host }) => host === output.host);
    if (!row || this.#stopped || output.clock !== clock) return;
    const whole = (stored: string, bytes: number | undefined): number => bytes ?? Buffer.byteLength(stored);
    const sent =
      (await output.sendStored('stdout', row.stdout, whole(row.stdout, detail?.stdoutBytes))) &&
      (await output.sendStored('stderr', row.stderr, whole(row.stderr, detail?.stderrBytes)));
    if (sent) output.storedSent();
  }
}
