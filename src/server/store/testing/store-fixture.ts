import type { IdempotencyKey } from '../../core/changes.js';
import type { TaskMeta } from '../../core/records.js';
import type { Store } from '../store.js';
import { createOf, metaOf } from './sample-task.js';
import type { StorePlace } from './store-place.js';

/** In rising order. */
export async function openTaskIds(store: Pick<Store, 'snapshot'>): Promise<number[]> {
  return (await store.snapshot()).tasks.map(({ taskId }) => taskId);
}

/** A store in a place of its own. */
export class StoreFixture<P extends StorePlace = StorePlace> implements AsyncDisposable {
  readonly place: P;
  store: Store;

  private constructor(place: P, store: Store) {
    this.place = place;
    this.store = store;
  }

  static async open<P extends StorePlace>(place: P, firstId?: number): Promise<StoreFixture<P>> {
    return new StoreFixture(place, await place.open(firstId));
  }

  async reopen(firstId?: number): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    this.store = await this.place.open(firstId);
  }

  /** Creates a task: hosts given a clock are running. Returns its id. */
  async create(
    hosts: Readonly<Record<string, number | undefined>>,
    changes: Partial<TaskMeta> = {},
    idempotencyKeys: readonly IdempotencyKey[] = [],
  ): Promise<number> {
    const id = await this.store.nextTaskId();
    await this.store.commit([createOf({ ...metaOf(id), ...changes }, hosts, idempotencyKeys)]);
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}
