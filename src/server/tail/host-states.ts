import { isFinal } from '../../shared/task-states.js';
import type { RunDetail, Store } from '../store/store.js';
import type { HostState, TaskService } from '../tasks/task-service.js';

export interface StateEvents {
  /** `detail`: of the run with this clock, once the host has ended */
  apply(state: HostState, detail: RunDetail | undefined): void;
  failed(error: unknown): void;
}

/**
 * The states of a task's hosts as they change, those that ended together with their run's details. Details are read
 * for all changes that came while the last read was under way; of several changes of one host the last one counts.
 */
export class HostStates {
  readonly #store: Pick<Store, 'runDetails'>;
  readonly #taskId: number;
  readonly #events: StateEvents;
  readonly #unsubscribe: () => void;
  readonly #applied = new Map<string, string>();
  #changed = new Map<string, HostState>();
  #started = false;
  #applying = false;

  /** Listens from now on, and keeps what comes until start(). */
  constructor(tasks: TaskService, store: Pick<Store, 'runDetails'>, taskId: number, events: StateEvents) {
    this.#store = store;
    this.#taskId = taskId;
    this.#events = events;
    this.#unsubscribe = tasks.onChange(taskId, (state) => {
      this.#changed.set(state.host, state);
      this.#kick();
    });
  }

  /** `initial`: as read after this object was made; what has changed since is newer. */
  start(initial: readonly HostState[]): void {
    this.#changed = new Map([...initial.map((state) => [state.host, state] as const), ...this.#changed]);
    this.#started = true;
    this.#kick();
  }

  stop(): void {
    this.#unsubscribe();
    this.#started = false;
    this.#changed.clear();
  }

  #kick(): void {
    if (!this.#started || this.#applying) return;
    this.#applying = true;
    this.#applyAll()
      .catch((error: unknown) => this.#events.failed(error))
      .finally(() => {
        this.#applying = false;
      });
  }

  async #applyAll(): Promise<void> {
    while (this.#changed.size > 0) {
      const batch = this.#changed;
      this.#changed = new Map();
      const details = await this.#details(batch);
      for (const state of batch.values()) {
        // The last of the hosts to end may have ended the tail.
        if (!this.#started) return;
        const what = `${state.status} ${state.clock}`;
        if (this.#applied.get(state.host) === what) continue;
        this.#applied.set(state.host, what);
        this.#events.apply(state, details.get(name(state)));
      }
    }
  }

  async #details(batch: ReadonlyMap<string, HostState>): Promise<ReadonlyMap<string, RunDetail>> {
    const ended = [...batch.values()].some(({ status, clock }) => isFinal(status) && clock > 0);
    if (!ended) return new Map();
    const details = await this.#store.runDetails(this.#taskId);
    return new Map(details.map((detail) => [name(detail), detail]));
  }
}

function name({ host, clock }: { readonly host: string; readonly clock: number }): string {
  return `${clock} ${host}`;
}
