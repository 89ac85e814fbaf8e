import { randomUUID } from 'node:crypto';
import type { SecureVersion } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { Notifier } from './notifier.js';

export interface RedisConfig {
  readonly type: 'standalone' | 'cluster' | 'sentinel';
  /** one, or for the other types the first ones to ask */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly username: string;
  readonly password: string;
  readonly db: number;
  readonly tls: { readonly minVersion: SecureVersion | undefined } | undefined;
  readonly masterName: string;
  readonly sentinelUsername: string;
  readonly sentinelPassword: string;
}

const CONNECT_MS = 2_000;
const LONGEST_WAIT_MS = 5_000;
/** Longer messages are not from an ibex server. */
const LONGEST_MESSAGE = 1 << 20;

/**
 * Publishes on a Redis channel of this database. Without Redis messages are lost and nothing else happens; connections
 * are tried again for ever.
 */
export class RedisNotifier implements Notifier {
  readonly #channel: string;
  readonly #self = randomUUID();
  readonly #publisher: Redis | Cluster;
  readonly #subscriber: Redis | Cluster;
  readonly #log: Log;
  #pending = new Set<number>();
  #listener: (taskIds: readonly number[]) => void = () => undefined;
  #away = false;

  /** Connects by itself, now and after each loss. */
  constructor(config: RedisConfig, cluster: string, log: Log) {
    this.#channel = `ibex:${cluster}`;
    this.#log = log;
    this.#publisher = this.#connect(config);
    this.#subscriber = this.#connect(config);
    this.#subscriber.on('message', (_channel: string, text: string) => this.#receive(text));
    this.#subscriber.on('ready', () => {
      this.#subscriber.subscribe(this.#channel).then(
        () => this.#reconnected(),
        (error: unknown) => this.#lost(error),
      );
    });
  }

  publish(taskId: number): void {
    this.#pending.add(taskId);
    if (this.#pending.size === 1) setImmediate(() => this.#publish());
  }

  subscribe(listener: (taskIds: readonly number[]) => void): void {
    this.#listener = listener;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener = () => undefined;
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
    return Promise.resolve();
  }

  #connect(config: RedisConfig): Redis | Cluster {
    const client = open(config);
    // An 'error' that nobody listens to ends the process.
    client.on('error', (error: unknown) => this.#lost(error));
    return client;
  }

  #publish(): void {
    const tasks = [...this.#pending];
    this.#pending = new Set();
    const text = JSON.stringify({ from: this.#self, tasks });
    this.#publisher.publish(this.#channel, text).catch((error: unknown) => this.#lost(error));
  }

  #receive(text: string): void {
    const tasks = taskIdsOf(text, this.#self);
    if (tasks.length > 0) this.#listener(tasks);
  }

  #lost(error: unknown): void {
    if (!this.#away) {
      this.#log.warn({ err: describeError(error) }, 'Redis does not answer; other servers see changes a second later');
    }
    this.#away = true;
  }

  #reconnected(): void {
    if (this.#away) this.#log.info({}, 'Redis is back');
    this.#away = false;
  }
}

/** Ids of tasks in another server's message; none in what is no such message. */
function taskIdsOf(text: string, self: string): readonly number[] {
  if (text.length > LONGEST_MESSAGE) return [];
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof message !== 'object' || message === null || !('from' in message) || !('tasks' in message)) return [];
  if (message.from === self || !Array.isArray(message.tasks)) return [];
  return message.tasks.filter((id): id is number => Number.isSafeInteger(id) && Number(id) > 0);
}

function open(config: RedisConfig): Redis | Cluster {
  const { type, addresses, username, password, db, tls } = config;
  const options: RedisOptions = {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls ? { tls: tls.minVersion ? { minVersion: tls.minVersion } : {} } : {}),
    db,
    connectTimeout: CONNECT_MS,
    // A message that can't be sent now need not be sent at all.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    retryStrategy: waitMs,
  };
  switch (type) {
    case 'standalone':
      return new Redis({ ...options, ...addresses[0] });
    case 'sentinel':
      return new Redis({
        ...options,
        sentinels: [...addresses],
        name: config.masterName,
        sentinelRetryStrategy: waitMs,
        ...(config.sentinelUsername === '' ? {} : { sentinelUsername: config.sentinelUsername }),
        ...(config.sentinelPassword === '' ? {} : { sentinelPassword: config.sentinelPassword }),
      });
    case 'cluster':
      return new Cluster([...addresses], {
        redisOptions: options,
        enableOfflineQueue: false,
        clusterRetryStrategy: waitMs,
      });
    default:
      return type satisfies never;
  }
}

function waitMs(attempt: number): number {
  return Math.min(LONGEST_WAIT_MS, 200 * attempt) * (0.5 + Math.random() / 2);
}
