import { performance } from 'node:perf_hooks';
import { NotWantedError } from '../store/store.js';
import { KeyReusedError, type TaskService } from '../tasks/task-service.js';
import { parseNewTask } from './new-task-body.js';
import { ok, refusal } from './reply.js';
import { RefusedError, type ApiRequest, type Handler } from './request.js';

/**
 * Nightingale gives a POST up after 3 s and never asks again; a task that is made later runs without anybody knowing
 * its id. So nothing is begun this long after the request's arrival.
 */
const BEGIN_WITHIN_MS = 2_000;

const MAX_KEY_LENGTH = 255;

/**
 * POST /ibex/v1/tasks, optionally with an Idempotency-Key. A request that has made a task before gets that one's id,
 * and X-Ibex-Duplicate: 1; with the same key and another body it is refused with 422.
 */
export function createTask(tasks: TaskService): Handler {
  return async (request) => {
    const idempotencyKey = keyIn(request.headers['idempotency-key']);
    const task = { ...parseNewTask(request.body), idempotencyKey };
    using waiting = new WaitingCaller(request);
    try {
      const { id, duplicate } = await tasks.create(task, waiting.signal);
      return duplicate ? { ...ok(id), headers: { 'X-Ibex-Duplicate': '1' } } : ok(id);
    } catch (error) {
      if (error instanceof NotWantedError) return refusal('the server is too busy, nothing was created', 503);
      if (error instanceof KeyReusedError) return refusal(otherBody(error.taskId), 422);
      throw error;
    }
  };
}

function otherBody(taskId: number): string {
  return `Idempotency-Key was used before, by the request that made task ${taskId} and had another body; nothing was created`;
}

/** Its signal is aborted once the caller has left, and BEGIN_WITHIN_MS after the request came. */
class WaitingCaller implements Disposable {
  readonly #controller = new AbortController();
  readonly #closed: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #abort = (): void => this.#controller.abort();

  constructor({ closed, arrivedMs }: Pick<ApiRequest, 'closed' | 'arrivedMs'>) {
    const leftMs = BEGIN_WITHIN_MS - (performance.now() - arrivedMs);
    this.#closed = closed;
    this.#timer = setTimeout(this.#abort, leftMs);
    closed.addEventListener('abort', this.#abort);
    if (closed.aborted || leftMs <= 0) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#closed.removeEventListener('abort', this.#abort);
  }
}

function keyIn(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  if (header.length > MAX_KEY_LENGTH) {
    throw new RefusedError(400, `Idempotency-Key longer than ${MAX_KEY_LENGTH} characters`);
  }
  return header;
}
