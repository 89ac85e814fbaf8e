import { createHash } from 'node:crypto';
import { CappedMap } from '../../shared/capped-map.js';
import type { IdempotencyKey } from '../core/changes.js';
import { NotWantedError } from '../store/store.js';
import type { CreatedTask, NewTask } from './task-service.js';

/** How long a caller's own key counts. */
const IDEMPOTENCY_MS = 24 * 3_600_000;
/** So many requests are remembered; a further one pushes out the oldest, which the database remembers still. */
const REMEMBERED_MOST = 10_000;

interface Request {
  readonly outcome: Promise<CreatedTask>;
  untilMs: number;
}

/** The key under which a request counts once: its caller's own, or a digest of its body where it is an alarm's. */
export function idempotencyKeyOf(task: NewTask, duplicateWindowMs: number): IdempotencyKey | undefined {
  const { idempotencyKey, ...said } = task;
  if (idempotencyKey !== undefined) return { key: digest(`header\n${idempotencyKey}`), ttlMs: IDEMPOTENCY_MS };
  // Only alarms send stdin; a person who starts the same task twice means it.
  if (said.stdin === '' || duplicateWindowMs === 0) return undefined;
  const values = Object.entries(said).sort(([a], [b]) => (a < b ? -1 : 1));
  return { key: digest(`body\n${JSON.stringify(values)}`), ttlMs: duplicateWindowMs };
}

/**
 * The requests of this server that count once: a repeated one waits for the first and shares its outcome. The database
 * does the same between servers and over restarts; asking here first spares it most of the refusals.
 */
export class RecentRequests {
  readonly #nowMs: () => number;
  readonly #requests = new CappedMap<string, Request>(REMEMBERED_MOST);

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** `create` makes the task if nobody has; if it fails, so does everyone who waits for it. */
  async share({ key, ttlMs }: IdempotencyKey, create: () => Promise<CreatedTask>): Promise<CreatedTask> {
    for (;;) {
      const first = this.#requests.get(key);
      if (!first || first.untilMs <= this.#nowMs()) break;
      try {
        return { id: (await first.outcome).id, duplicate: true };
      } catch (error) {
        // The first caller has left; this one has not.
        if (!(error instanceof NotWantedError)) throw error;
      }
    }
    return this.#first(key, ttlMs, create());
  }

  async #first(key: string, ttlMs: number, outcome: Promise<CreatedTask>): Promise<CreatedTask> {
    const request: Request = { outcome, untilMs: Number.POSITIVE_INFINITY };
    this.#requests.set(key, request);
    try {
      const created = await outcome;
      request.untilMs = this.#nowMs() + ttlMs;
      return created;
    } catch (error) {
      if (this.#requests.get(key) === request) this.#requests.delete(key);
      throw error;
    }
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
