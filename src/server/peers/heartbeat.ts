import { describeError } from '../../shared/errors.js';
import { LogOnce } from '../../shared/log-once.js';
import type { Log } from '../../shared/log.js';
import type { Schedulers } from '../store/store.js';

/** Well below the silence after which a scheduler is dead. */
const BEAT_MS = 1_000;

/** Says once a second that this server lives, whatever else it is busy with. */
export class Heartbeat implements AsyncDisposable {
  readonly #schedulers: Schedulers;
  readonly #name: string;
  readonly #log: Log;
  readonly #failure: LogOnce;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;

  constructor(schedulers: Schedulers, name: string, log: Log) {
    this.#schedulers = schedulers;
    this.#name = name;
    this.#log = log;
    this.#failure = new LogOnce(log, 'cannot say that this server lives');
  }

  /** Resolves after the first beat. Rejects with StoreError. */
  async start(): Promise<void> {
    await this.#schedulers.beat(this.#name);
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
  }

  /** Says that it stops, so that others need not wait until it seems dead. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    await this.#beating;
    await this.#schedulers.retire(this.#name).catch((error: unknown) => {
      this.#log.warn({ err: describeError(error) }, 'other servers will take the tasks of this one only after a while');
    });
  }

  #beat(): void {
    this.#beating ??= this.#schedulers
      .beat(this.#name)
      .then(
        () => this.#failure.succeeded(),
        (error: unknown) => this.#failure.failed(error),
      )
      .finally(() => {
        this.#beating = undefined;
      });
  }
}
