import { createHash } from 'node:crypto';
import { CappedMap } from '../../shared/capped-map.js';
import type { IdempotencyKey } from '../core/changes.js';
import { NotWantedError } from '../store/store.js';
import { KeyReusedError, type CreatedTask, type NewTask } from './task-service.js';

/** How long a caller's own key counts. */
const IDEMPOTENCY_MS = 24 * 3_600_000;
/** So many requests are remembered; a further one pushes out the oldest, which the database remembers still. */
const REMEMBERED_MOST = 10_000;

interface Request {
  readonly bodyDigest: string | null;
  readonly outcome: Promise<CreatedTask>;
  untilMs: number;
}

/** The key under which a request counts once: its caller's own, or a digest of its body where it is an alarm's. */
export function idempotencyKeyOf(task: NewTask, duplicateWindowMs: number): IdempotencyKey | undefined {
  const { idempotencyKey, ...body } = task;
  if (idempotencyKey !== undefined) {
    return { key: digest(`header\n${idempotencyKey}`), ttlMs: IDEMPOTENCY_MS, bodyDigest: digestOf(body) };
  }
  // Only alarms send stdin; a person who starts the same task twice means it.
  if (body.stdin === '' || duplicateWindowMs === 0) return undefined;
  return { key: digestOf(body), ttlMs: duplicateWindowMs, bodyDigest: null };
}

/** The first task, for a repeated request; throws KeyReusedError where that has another body. */
export function duplicateOf(key: IdempotencyKey, first: { id: number; bodyDigest: string | null }): CreatedTask {
  const { id, bodyDigest } = first;
  if (key.bodyDigest !== null && bodyDigest !== null && key.bodyDigest !== bodyDigest) throw new KeyReusedError(id);
  return { id, duplicate: true };
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

  /**
   * `create` makes the task if nobody has; if it fails, so does everyone who waits for it. Rejects with KeyReusedError
   * where the same key was used with another body.
   */
  async share(key: IdempotencyKey, create: () => Promise<CreatedTask>): Promise<CreatedTask> {
    for (;;) {
      const first = this.#requests.get(key.key);
      if (!first || first.untilMs <= this.#nowMs()) break;
      let id: number;
      try {
        ({ id } = await first.outcome);
      } catch (error) {
        // The first caller has left, or has used the key of another server's task; this one may not have.
        if (error instanceof NotWantedError || error instanceof KeyReusedError) continue;
        throw error;
      }
      return duplicateOf(key, { id, bodyDigest: first.bodyDigest });
    }
    return this.#first(key, create());
  }

  async #first({ key, ttlMs, bodyDigest }: IdempotencyKey, outcome: Promise<CreatedTask>): Promise<CreatedTask> {
    const request: Request = { bodyDigest, outcome, untilMs: Number.POSITIVE_INFINITY };
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

/** Of all that a body says, with its defaults. A field that is not there is left out, so that later ones change nothing. */
function digestOf(body: Omit<NewTask, 'idempotencyKey'>): string {
  const said = Object.entries(body).filter(([, value]) => value !== undefined);
  return digest(`body\n${JSON.stringify(said.sort(([a], [b]) => (a < b ? -1 : 1)))}`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
