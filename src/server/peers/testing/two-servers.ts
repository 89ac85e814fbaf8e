import type { NewTask } from '../../tasks/task-service.js';
import { createTaskService, type RunningTaskService } from '../../tasks/create-task-service.js';
import { newTask, RecordingGateway } from '../../tasks/testing/fixture.js';
import type { MysqlPlace } from '../../store/testing/mysql-place.js';
import { silentLog } from '../../store/testing/store-place.js';
import { mysqlPlace } from '../../store/testing/test-databases.js';
import type { Store } from '../../store/store.js';
import type { Notifier } from '../notifier.js';

const WATCH_MS = 50;

export interface TestServer {
  readonly name: string;
  readonly store: Store;
  readonly gateway: RecordingGateway;
  readonly service: RunningTaskService;
  readonly hints: Notifier | undefined;
  /** how far its clock is ahead of the true one */
  readonly clock: { aheadMs: number };
}

export interface TwoServersOptions {
  readonly schedules?: boolean;
  /** made for each */
  readonly hints?: () => Notifier;
  /** between two looks at the database */
  readonly watchMs?: number;
}

/** Two task services on one MySQL database; what they send to agents is written down. */
export class TwoServers implements AsyncDisposable {
  readonly place: MysqlPlace;
  readonly one: TestServer;
  readonly two: TestServer;
  readonly #running: TestServer[];

  private constructor(place: MysqlPlace, one: TestServer, two: TestServer) {
    this.place = place;
    this.one = one;
    this.two = two;
    this.#running = [one, two];
  }

  static async open(options: TwoServersOptions = {}): Promise<TwoServers> {
    const place = mysqlPlace();
    const start = async (name: string): Promise<TestServer> => {
      const store = await place.open();
      const gateway = new RecordingGateway();
      // Else the other one takes it for a program of another kind.
      await store.markServer({ instance: name, name, version: '1' });
      const hints = options.hints?.();
      const clock = { aheadMs: 0 };
      const service = await createTaskService({
        store,
        gateway,
        log: silentLog,
        clock: { nowMs: () => Date.now() + clock.aheadMs },
        schedulerName: name,
        reconcileIntervalMs: options.watchMs ?? WATCH_MS,
        ...(options.schedules === undefined ? {} : { schedules: options.schedules }),
        ...(hints ? { notifier: hints } : {}),
      });
      return { name, store, gateway, service, hints, clock };
    };
    return new TwoServers(place, await start('10.0.0.1:20090'), await start('10.0.0.2:20090'));
  }

  async create(at: TestServer, task: Partial<NewTask>): Promise<number> {
    return (await at.service.create(newTask(task))).id;
  }

  async stop(server: TestServer): Promise<void> {
    this.#running.splice(this.#running.indexOf(server), 1);
    await server.service[Symbol.asyncDispose]();
    await server.hints?.[Symbol.asyncDispose]();
    await server.store[Symbol.asyncDispose]();
  }

  async statuses(taskId: number): Promise<Record<string, string>> {
    const [{ store } = this.one] = this.#running;
    return Object.fromEntries((await store.hosts(taskId)).map(({ host, status }) => [host, status]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let server = this.#running[0]; server; server = this.#running[0]) await this.stop(server);
    await this.place[Symbol.asyncDispose]();
  }
}
