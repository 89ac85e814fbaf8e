import { isFinal } from '../../shared/task-states.js';
import type { ActionInForce } from '../core/action-in-force.js';
import type { RunDetail } from '../core/records.js';
import type { Store } from '../store/store.js';
import type { HostState, TaskService } from '../tasks/task-service.js';

/** Of so many hosts their details are read by name; of more, those of the whole task are read at once. */
const FEW_HOSTS = 200;

export interface StateEvents {
  /** `detail`: of the run with this clock, once the host has ended */
  apply(state: HostState, detail: RunDetail | undefined): void;
  /** the task's action in force; the changes of hosts that came before it have been applied */
  act(action: ActionInForce): void;
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
  readonly #unsubscribe: readonly (() => void)[];
  /** the last state of each host: a listener may be called again without a change */
  readonly #known = new Map<string, string>();
  #changed = new Map<string, HostState>();
  /** a change of the action that is still to be applied */
  #action: ActionInForce | undefined;
  /** the hosts to be shown, from start() to stop() */
  #shown: ReadonlySet<string> | undefined;
  #applying = false;

  /** Listens from now on, and keeps what comes until start(). */
  constructor(
    tasks: Pick<TaskService, 'onAction' | 'onChange'>,
    store: Pick<Store, 'runDetails'>,
    taskId: number,
    events: StateEvents,
  ) {
    this.#store = store;
    this.#taskId = taskId;
    this.#events = events;
    const onHost = (state: HostState): void => {
      if (this.#shown && !this.#shown.has(state.host)) return;
      if (!this.#isNew(state)) return;
      this.#changed.set(state.host, state);
      this.#kick();
    };
    const onAction = (action: ActionInForce): void => {
      this.#action = action;
      this.#kick();
    };
    this.#unsubscribe = [tasks.onChange(taskId, onHost), tasks.onAction(taskId, onAction)];
  }

  /**
   * `initial`: the hosts to be shown, `action`: that of an open task, both as read after this object was made; what has
   * changed since is newer.
   */
  start(initial: readonly HostState[], action: ActionInForce | undefined): void {
    this.#action ??= action;
    this.#shown = new Set(initial.map(({ host }) => host));
    this.#changed = new Map(initial.map((state) => [state.host, this.#changed.get(state.host) ?? state]));
    for (const state of this.#changed.values()) this.#isNew(state);
    this.#kick();
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#shown = undefined;
    this.#changed.clear();
  }

  #isNew({ host, status, clock, startBeforeMs }: HostState): boolean {
    const what = `${status} ${clock} ${startBeforeMs}`;
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
      while (this.#changed.size > 0 || this.#action) {
        const batch = this.#changed;
        this.#changed = new Map();
        const details = await this.#details(batch);
        for (const state of batch.values()) {
          // The last of the hosts to end may have ended the tail.
          if (!this.#shown) return;
          this.#events.apply(state, details.get(name(state)));
        }
        if (this.#changed.size === 0) this.#applyAction();
      }
    } finally {
      // Here, and not when the promise settles: a change that came in between would not be applied.
      this.#applying = false;
    }
  }

  #applyAction(): void {
    const action = this.#action;
    this.#action = undefined;
    if (action && this.#shown) this.#events.act(action);
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
