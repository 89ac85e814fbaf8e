import type { Log } from '../../shared/log.js';
import { firstStep } from '../core/first-step.js';
import type { Context } from '../core/events.js';
import type { Step } from '../core/task-draft.js';
import type { IdempotencyKey } from '../core/changes.js';
import type { TaskMeta } from '../core/records.js';
import { DuplicateTaskError, StoreError, TaskIdTakenError, type Store } from '../store/store.js';
import { duplicateOf, idempotencyKeyOf, RecentRequests } from './recent-requests.js';
import type { CreatedTask, NewTask } from './task-service.js';

/** How often another id is asked for, where others write tasks of their own into the database. */
const ID_ATTEMPTS = 5;

export interface TaskCreatorOptions {
  readonly store: Pick<Store, 'commit' | 'nextTaskId'>;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly startWithinMs: number;
  /** 0: identical alarms are as many tasks */
  readonly duplicateWindowMs: number;
  readonly context: (taskId: number) => Context;
  /** called with each new task, once it is durable */
  readonly created: (meta: TaskMeta, step: Step) => void;
}

/** Creates tasks: gives them an id, starts their first hosts, and answers a repeated request with the first task. */
export class TaskCreator {
  readonly #options: TaskCreatorOptions;
  readonly #recent: RecentRequests;

  constructor(options: TaskCreatorOptions) {
    this.#options = options;
    this.#recent = new RecentRequests(options.nowMs);
  }

  async create(task: NewTask, signal?: AbortSignal): Promise<CreatedTask> {
    const { duplicateWindowMs, log } = this.#options;
    const key = idempotencyKeyOf(task, duplicateWindowMs);
    if (!key) return this.#create(task, undefined, signal);
    const outcome = await this.#recent.share(key, () => this.#create(task, key, signal));
    if (outcome.duplicate)
      log.info({ task: outcome.id }, 'the same request came again; it is answered with the first task');
    return outcome;
  }

  async #create(task: NewTask, key: IdempotencyKey | undefined, signal?: AbortSignal): Promise<CreatedTask> {
    for (let attempt = 1; ; attempt++) {
      try {
        return { id: await this.#commit(task, key, signal), duplicate: false };
      } catch (error) {
        if (error instanceof DuplicateTaskError && key) {
          return duplicateOf(key, { id: error.taskId, bodyDigest: error.bodyDigest });
        }
        if (!(error instanceof TaskIdTakenError)) throw error;
        if (attempt >= ID_ATTEMPTS)
          throw new StoreError('others take all task ids before this server can', { cause: error });
      }
    }
  }

  async #commit(task: NewTask, key: IdempotencyKey | undefined, signal?: AbortSignal): Promise<number> {
    const { store, startWithinMs, log, created } = this.#options;
    const { action, hosts, idempotencyKey: _, ...description } = task;
    const id = await store.nextTaskId();
    const context = this.#options.context(id);
    // Whole seconds, as every ibex has stored it.
    const meta: TaskMeta = { ...description, id, created: new Date(Math.floor(context.nowMs / 1_000) * 1_000) };
    const step = firstStep(meta, action, hosts, startWithinMs, context);
    const changes = step.changes.map((change) =>
      change.kind === 'create-task' && key ? { ...change, idempotencyKeys: [key] } : change,
    );
    await store.commit(changes, signal);
    log.info({ task: id, hosts: hosts.length, action: step.state.action }, 'task created');
    created(meta, step);
    return id;
  }
}
