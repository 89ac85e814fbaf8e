import { isFinal } from '../../shared/task-states.js';
import type { RunDetail } from '../core/records.js';
import type { Store } from '../store/store.js';
import type { HostState, TaskService } from '../tasks/task-service.js';

/** Of so many hosts their details are read by name; of more, those of the whole task are read at once. */
const FEW_HOSTS = 200;

export interface StateEvents {
  /** `detail`: of the run with this clock, once the host has ended */
  apply(state: HostState, detail: RunDetail | undefined): void;
  failed(error: unknown): void;
}

/**
 * The states of some of a task's hosts as they change, those that ended together with their run's details. Details are
 * read for all changes that came while the last read was under way; of several changes of one host the last one counts.
 */
export class HostStates {
  readonly #store: Pick<Store, 'runDetails'>;
  readonly #taskId: number;
  readonly #events: StateEvents;
  readonly #unsubscribe: () => void;
  /** the last state of each host: a listener may be called again without a change */
  readonly #known = new Map<string, string>();
  #changed = new Map<string, HostState>();
  /** the hosts to be shown, from start() to stop() */
  #shown: ReadonlySet<string> | undefined;
  #applying = false;

  /** Listens from now on, and keeps what comes until start(). */
  constructor(
    tasks: Pick<TaskService, 'onChange'>,
    store: Pick<Store, 'runDetails'>,
    taskId: number,
    events: StateEvents,
  ) {
    this.#store = store;
    this.#taskId = taskId;
    this.#events = events;
    this.#unsubscribe = tasks.onChange(taskId, (state) => {
      if (this.#shown && !this.#shown.has(state.host)) return;
      if (!this.#isNew(state)) return;
      this.#changed.set(state.host, state);
      this.#kick();
    });
  }

  /** `initial`: the hosts to be shown, as read after this object was made; what has changed since is newer. */
  start(initial: readonly HostState[]): void {
    this.#shown = new Set(initial.map(({ host }) => host));
    this.#changed = new Map(initial.map((state) => [state.host, this.#changed.get(state.host) ?? state]));
    for (const state of this.#changed.values()) this.#isNew(state);
    this.#kick();
  }

  stop(): void {
    this.#unsubscribe();
    this.#shown = undefined;
    this.#changed.clear();
  }

  #isNew({ host, status, clock }: HostState): boolean {
    const what = `${status} ${clock}`;
    if (this.#known.get(host) === what) return false;
    this.#known.set(host, what);
    return true;
  }

  #kick(): void {
    if (!this.#shown || this.#applying) return;
    this.#applying = true;
    this.#applyAll().catch((error: unknown) => this.#events.failed(error));
  }

  async #applyAll(): Promise<void> {
    try {
      while (this.#changed.size > 0) {
        const batch = this.#changed;
        this.#changed = new Map();
        const details = await this.#details(batch);
        for (const state of batch.values()) {
          // The last of the hosts to end may have ended the tail.
          if (!this.#shown) return;
          this.#events.apply(state, details.get(name(state)));
        }
      }
    } finally {
      // Here, and not when the promise settles: a change that came in between would not be applied.
      this.#applying = false;
    }
  }

  async #details(batch: ReadonlyMap<string, HostState>): Promise<ReadonlyMap<string, RunDetail>> {
    const ended = [...batch.values()].filter(({ status, clock }) => isFinal(status) && clock > 0);
    if (ended.length === 0) return new Map();
    const few = ended.length <= FEW_HOSTS ? ended.map(({ host }) => host) : undefined;
    const details = await this.#store.runDetails(this.#taskId, few);
    return new Map(details.map((detail) => [name(detail), detail]));
  }
}

function name({ host, clock }: { readonly host: string; readonly clock: number }): string {
  return `${clock} ${host}`;
}
