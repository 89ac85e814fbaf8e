import type { Answer, Context, TaskEvent } from '../core/events.js';
import { reduce } from '../core/reduce.js';
import { resumeTask, type ResumeLimits } from '../core/resume-task.js';
import type { Step } from '../core/task-draft.js';
import type { TaskState } from '../core/task-state.js';
import { StaleStateError, StoreError, type OpenTask, type Store, type TaskMeta } from '../store/store.js';

/** Events of one commit at most, so that a big task's results do not hold up everybody else's. */
const EVENTS_PER_COMMIT = 500;
/** How often a task that someone else has changed is read anew for the same events. */
const ATTEMPTS = 3;
/** How long an event that nobody waits for may wait for another one to share its commit. */
const LAZY_MS = 500;

interface Item {
  readonly event: TaskEvent;
  readonly attempt: number;
  /** undefined: the task is not open */
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** What a mailbox needs of the service around it. */
export interface MailboxHost {
  readonly store: Pick<Store, 'commit' | 'openTask'>;
  readonly limits: ResumeLimits;
  context(taskId: number): Context;
  /** the task was read from the store */
  loaded(mailbox: TaskMailbox, state: TaskState): void;
  /** a step is durable; called before its events are answered */
  committed(mailbox: TaskMailbox, step: Step): void;
  /** the task's state was thrown away after a failure; it is to be woken before long */
  failed(mailbox: TaskMailbox, error: Error): void;
  /** the task has ended, or was never open, and nothing waits here any more */
  idle(mailbox: TaskMailbox): void;
}

/**
 * One open task and the events that wait for it. While a commit is in flight events queue; then all of them are
 * reduced at once into the next commit, after which they are answered. If it fails, the state is thrown away and read
 * again for the next event. The queue has no limit of its own: an agent sends a limited number of results without
 * their acknowledgements, and an API call waits for its answer.
 */
export class TaskMailbox implements Disposable {
  readonly taskId: number;
  readonly #host: MailboxHost;
  #queue: Item[] = [];
  #state: TaskState | undefined;
  #meta: TaskMeta | undefined;
  /** the state before the last failure: some of what it knows is in no table */
  #known: TaskState | undefined;
  #running: Promise<void> | undefined;
  /** someone waits for an answer since the last look at the queue */
  #urgent = false;
  #lazyTimer: NodeJS.Timeout | undefined;

  constructor(taskId: number, host: MailboxHost, created?: { readonly meta: TaskMeta; readonly state: TaskState }) {
    this.taskId = taskId;
    this.#host = host;
    this.#meta = created?.meta;
    this.#state = created?.state;
  }

  /** As last committed; undefined while it is to be read (again). */
  get state(): TaskState | undefined {
    return this.#state;
  }

  get meta(): TaskMeta | undefined {
    return this.#meta;
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
      // Something may have been posted between the last look at the queue and now.
      if (this.#urgent) this.#run();
    });
  }

  async #drain(): Promise<void> {
    // What is posted in the same breath shares the commit.
    await Promise.resolve();
    do {
      this.#urgent = false;
      this[Symbol.dispose]();
      if (!(await this.#load())) return;
      const items = this.#queue.splice(0, EVENTS_PER_COMMIT);
      if (items.length > 0) await this.#step(items);
    } while (this.#queue.length > 0);
    if (this.#state?.ended) this.#host.idle(this);
  }

  /** False if there is no open task to work on; everything that waited has been answered then. */
  async #load(): Promise<boolean> {
    if (this.#state) return true;
    let open: OpenTask | undefined;
    try {
      open = await this.#host.store.openTask(this.taskId);
    } catch (error) {
      this.#fail(this.#queue.splice(0), error);
      return false;
    }
    if (!open) {
      for (const item of this.#queue.splice(0)) item.resolve(undefined);
      this.#host.idle(this);
      return false;
    }
    this.#meta = open.meta;
    this.#state = resumeTask(open, this.#host.limits, this.#host.context(this.taskId).nowMs, this.#known);
    this.#known = undefined;
    this.#host.loaded(this, this.#state);
    return true;
  }

  async #step(items: readonly Item[]): Promise<void> {
    if (!this.#state) return;
    const step = reduce(
      this.#state,
      items.map((item) => item.event),
      this.#host.context(this.taskId),
    );
    try {
      if (step.changes.length > 0) await this.#host.store.commit(step.changes);
    } catch (error) {
      this.#known = this.#state;
      this.#state = undefined;
      if (error instanceof StaleStateError) this.#tryAgain(items, error);
      else this.#fail(items, error);
      return;
    }
    this.#state = step.state;
    this.#host.committed(this, step);
    items.forEach((item, position) => item.resolve(step.answers[position]));
  }

  /** Someone else wrote into the task's rows: the same events, on what the rows say now. */
  #tryAgain(items: readonly Item[], error: StaleStateError): void {
    const again = items.filter((item) => item.attempt < ATTEMPTS);
    this.#queue.unshift(...again.map((item) => ({ ...item, attempt: item.attempt + 1 })));
    const givenUp = items.filter((item) => item.attempt >= ATTEMPTS);
    if (givenUp.length > 0) this.#fail(givenUp, error);
  }

  #fail(items: readonly Item[], cause: unknown): void {
    const error = cause instanceof StoreError ? cause : new StoreError('the task could not be stored', { cause });
    this.#host.failed(this, error);
    for (const item of items) item.reject(error);
  }
}
