import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { ChangeListeners } from './change-listeners.js';
import type { ClosedTasks } from './closed-tasks.js';
import type { OpenTasks } from './open-tasks.js';

/** Tells those who watch tasks that another server schedules what has become of them, as the database has it. */
export class ViewedTasks {
  readonly #open: OpenTasks;
  readonly #closed: ClosedTasks;
  readonly #listeners: ChangeListeners;
  readonly #log: Log;
  #refreshing = false;

  constructor(open: OpenTasks, closed: ClosedTasks, listeners: ChangeListeners, log: Log) {
    this.#open = open;
    this.#closed = closed;
    this.#listeners = listeners;
    this.#log = log;
  }

  /** Reads them anew. Told are all hosts; those that are as before change nothing for whoever listens. */
  refresh(): void {
    if (this.#refreshing) return;
    const viewed = this.#listeners.taskIds().filter((taskId) => !this.#open.owns(taskId));
    if (viewed.length === 0) return;
    this.#refreshing = true;
    this.#tell(viewed)
      .catch((error: unknown) => {
        this.#log.warn({ err: describeError(error) }, 'cannot read the tasks that are watched');
      })
      .finally(() => {
        this.#refreshing = false;
      });
  }

  async #tell(taskIds: readonly number[]): Promise<void> {
    for (const taskId of taskIds) {
      const states = (await this.#closed.states(taskId)) ?? [];
      for (const state of states) this.#listeners.tell(taskId, state);
    }
  }
}
