import type { Answer, Context, TaskEvent } from '../core/events.js';
import { reduce, type Reduction } from '../core/reduce.js';
import type { Step } from '../core/task-draft.js';
import { isActive } from '../../shared/task-states.js';
import type { HostEntry, TaskState } from '../core/task-state.js';
import type { TaskMeta } from '../core/records.js';
import { RefusedError, StaleStateError, StoreError, type Store } from '../store/store.js';
import { hostsToRead } from './hosts-to-read.js';
import { TaskCopy, type CopyRules } from './task-copy.js';

/** Events of one commit at most, so that a big task's results do not hold up everybody else's. */
const EVENTS_PER_COMMIT = 500;
/** How often a task that someone else has changed is read anew for the same events. */
const ATTEMPTS = 3;
/** How long an event that nobody waits for may wait for another one to share its commit. */
const LAZY_MS = 500;
/** Stands in for a refresh whose hosts are refreshed together with others. */
const NO_REFRESH: TaskEvent = Object.freeze({ kind: 'refresh', hosts: [] } as const);

interface Item {
  readonly event: TaskEvent;
  readonly attempt: number;
  /** undefined: the task is not open */
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** The registry around a mailbox. */
export interface MailboxHost {
  readonly store: Pick<Store, 'outOfProcess' | 'commit' | 'openTask'>;
  readonly copyRules: CopyRules;
  /** others change tasks in this database, too */
  readonly shared: boolean;
  /** a peer is known to own the task */
  ownedByPeer(taskId: number): boolean;
  /** `owned`: by this server */
  context(taskId: number, owned: boolean): Context;
  /** hosts were read from the store */
  loaded(mailbox: TaskMailbox, hosts: readonly HostEntry[]): void;
  /** a step is durable that was computed at `decidedMs`; called before its events are answered */
  committed(mailbox: TaskMailbox, step: Step, decidedMs: number): void;
  /** the task's state was thrown away after a failure; it is to be woken before long */
  failed(mailbox: TaskMailbox, error: Error): void;
  /** nothing is to be kept of the task, and nothing waits here any more */
  idle(mailbox: TaskMailbox): void;
}

/**
 * One open task and the events that wait for it. While a commit is in flight events queue; then all of them are
 * reduced at once into the next commit, after which they are answered; where the database works out of process, while
 * it commits the next step. If a commit fails, the state is dropped and read again for the next event; a result that the
 * database refuses holds back no other event. Of a task that a
 * peer owns, the hosts of an event are read each time. The queue has no limit of its own: an agent sends a
 * limited number of results without their acknowledgements, and an API call waits for its answer.
 */
export class TaskMailbox implements Disposable {
  readonly taskId: number;
  readonly #host: MailboxHost;
  readonly #copy: TaskCopy;
  #queue: Item[] = [];
  /** hosts whose agents are to be sent what other programs have decided; kept until a step that does so is durable */
  readonly #stale = new Set<string>();
  #running: Promise<void> | undefined;
  /** the step that was committed last, until its events are answered */
  #committed: { readonly step: Reduction; readonly items: readonly Item[]; readonly decidedMs: number } | undefined;
  /** events of the next commit at most: fewer after a refusal, and twice as many after each success */
  #atOnce = EVENTS_PER_COMMIT;
  /** an event was posted whose sender waits for the answer */
  #urgent = false;
  #lazyTimer: NodeJS.Timeout | undefined;

  constructor(taskId: number, host: MailboxHost, created?: { readonly meta: TaskMeta; readonly state: TaskState }) {
    this.taskId = taskId;
    this.#host = host;
    this.#copy = new TaskCopy(taskId, host.store, host.copyRules);
    if (created) this.#copy.create(created.meta, created.state);
  }

  /** As last committed, or as last read; undefined while it is to be read (again). */
  get state(): TaskState | undefined {
    return this.#copy.state;
  }

  get meta(): TaskMeta | undefined {
    return this.#copy.meta;
  }

  /** This server schedules the task; else the state may hold only some of the hosts. */
  get owned(): boolean {
    return this.#copy.owned;
  }

  /** Hosts of the task with an active run when it was last read. */
  get activeHosts(): readonly string[] {
    return this.#copy.activeHosts;
  }

  /** Resolves after the commit, with undefined if the task is not open. Rejects with StoreError. */
  post(event: TaskEvent): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ event, attempt: 1, resolve, reject });
      this.#urgent = true;
      this.#run();
    });
  }

  /** For events that are lost without harm: they wait for a commit to share, but not for long. */
  postLazily(event: TaskEvent): void {
    this.#queue.push({ event, attempt: 1, resolve: () => undefined, reject: () => undefined });
    this.#lazyTimer ??= setTimeout(() => this.#run(), LAZY_MS).unref();
  }

  /** Reads the task if it is not in memory, and resolves when all that was posted so far is answered. */
  async settle(): Promise<void> {
    this.#run();
    while (this.#running) await this.#running;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#lazyTimer);
    this.#lazyTimer = undefined;
  }

  #run(): void {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      // An event may have been posted since the queue was last read.
      if (this.#urgent) this.#run();
    });
  }

  async #drain(): Promise<void> {
    // What is posted in the same breath shares the commit.
    await Promise.resolve();
    do {
      this.#urgent = false;
      this[Symbol.dispose]();
      const items = this.#queue.splice(0, this.#atOnce);
      if (!(await this.#read(items))) return;
      if (items.length > 0 || this.#stale.size > 0) await this.#step(items);
      // Answering may post an event of this very task.
      if (this.#queue.length === 0) this.#answer();
    } while (this.#queue.length > 0);
    if (this.#done) this.#host.idle(this);
  }

  /** Answers the events of the step that was committed last, unless that has been done. */
  #answer(): void {
    const done = this.#committed;
    if (!done) return;
    this.#committed = undefined;
    this.#host.committed(this, done.step, done.decidedMs);
    done.items.forEach((item, position) => item.resolve(done.step.answers[position]));
  }

  /** The owner keeps a task until it has ended, other servers while a run of it is active. */
  get #done(): boolean {
    const { state, owned } = this.#copy;
    return state !== undefined && (owned ? state.ended : !state.hosts.some(({ status }) => isActive(status)));
  }

  /** False if there is no open task to work on; everything that waited has been answered then. */
  async #read(items: readonly Item[]): Promise<boolean> {
    const host = this.#host;
    const context = host.context(this.taskId, this.#copy.owned);
    const wanted = hostsToRead(
      this.#copy,
      items.map(({ event }) => event),
      { nowMs: context.nowMs, shared: host.shared, ownedByPeer: host.ownedByPeer(this.taskId) },
    );
    if (wanted === undefined) return true;
    this.#answer();
    let changed: readonly string[] | undefined;
    try {
      changed = await this.#copy.read(wanted, () => host.context(this.taskId, this.#copy.owned).nowMs);
    } catch (error) {
      this.#fail([...items, ...this.#queue.splice(0)], error);
      return false;
    }
    if (!changed) {
      for (const item of [...items, ...this.#queue.splice(0)]) item.resolve(undefined);
      host.idle(this);
      return false;
    }
    host.loaded(this, this.#copy.state?.hosts ?? []);
    for (const name of changed) this.#stale.add(name);
    return true;
  }

  async #step(items: readonly Item[]): Promise<void> {
    if (!this.#copy.state) return;
    for (const { event } of items) for (const host of refreshedHosts(event, this.#copy.state)) this.#stale.add(host);
    const events = items.map(({ event }) => (event.kind === 'refresh' ? NO_REFRESH : event));
    if (this.#stale.size > 0) events.push({ kind: 'refresh', hosts: [...this.#stale] });
    const context = this.#host.context(this.taskId, this.#copy.owned);
    const step = reduce(this.#copy.state, events, context);
    try {
      await this.#commit(step.changes);
    } catch (error) {
      if (error instanceof RefusedError && this.#isolate(items, error)) return;
      this.#copy.giveUp();
      if (error instanceof StaleStateError) this.#tryAgain(items, error);
      else this.#fail(items, error);
      return;
    }
    this.#atOnce = Math.min(EVENTS_PER_COMMIT, this.#atOnce * 2);
    this.#stale.clear();
    this.#copy.advance(step.state);
    this.#committed = { step, items, decidedMs: context.nowMs };
    if (!this.#host.store.outOfProcess) this.#answer();
  }

  /** The step before is answered while the database commits this one. */
  async #commit(changes: Step['changes']): Promise<void> {
    if (changes.length === 0) return this.#answer();
    const committed = this.#host.store.commit(changes);
    // The commit begins with the next turn of the event loop.
    if (this.#committed) setImmediate(() => this.#answer());
    try {
      await committed;
    } finally {
      this.#answer();
    }
  }

  /**
   * The database refuses the values of one of these events, and has stored none: they are tried again in smaller groups,
   * until a result that is to blame is alone and is given back to its sender. False where something else is to blame.
   */
  #isolate(items: readonly Item[], error: RefusedError): boolean {
    if (items.length > 1) {
      this.#queue.unshift(...items);
      this.#atOnce = items.length >> 1;
      return true;
    }
    const [item] = items;
    if (item?.event.kind !== 'result') return false;
    item.reject(error);
    return true;
  }

  /** Another program has written into the task's rows: the same events are applied to what the rows say now. */
  #tryAgain(items: readonly Item[], error: StaleStateError): void {
    const again = items.filter((item) => item.attempt < ATTEMPTS);
    this.#queue.unshift(...again.map((item) => ({ ...item, attempt: item.attempt + 1 })));
    const givenUp = items.filter((item) => item.attempt >= ATTEMPTS);
    if (again.length === 0) this.#fail(givenUp, error);
    else for (const item of givenUp) item.reject(asStoreError(error));
  }

  #fail(items: readonly Item[], cause: unknown): void {
    const error = asStoreError(cause);
    this.#host.failed(this, error);
    for (const item of items) item.reject(error);
  }
}

function asStoreError(cause: unknown): StoreError {
  return cause instanceof StoreError ? cause : new StoreError('the task could not be stored', { cause });
}

/** The hosts of a refresh: should its commit fail, they are to be refreshed again. */
function refreshedHosts(event: TaskEvent, state: TaskState): readonly string[] {
  if (event.kind !== 'refresh') return [];
  return event.hosts === 'all'
    ? state.hosts.filter(({ status }) => isActive(status)).map(({ host }) => host)
    : event.hosts;
}
