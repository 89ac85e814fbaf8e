import { performance } from 'node:perf_hooks';
import { NotWantedError } from '../store/store.js';
import type { TaskService } from '../tasks/task-service.js';
import { parseNewTask } from './new-task-body.js';
import { ok, refusal } from './reply.js';
import type { Handler } from './request.js';

/**
 * Nightingale gives a POST up after 3 s and never asks again; a task that is made later runs without anybody knowing
 * its id. So nothing is begun this long after the request's arrival.
 */
const BEGIN_WITHIN_MS = 2_000;

/** POST /ibex/v1/tasks */
export function createTask(tasks: TaskService): Handler {
  return async (request) => {
    const task = parseNewTask(request.body);
    const wanted = (): boolean => !request.callerLeft() && performance.now() - request.arrivedMs <= BEGIN_WITHIN_MS;
    try {
      return ok(await tasks.create(task, wanted));
    } catch (error) {
      if (error instanceof NotWantedError) return refusal('the server is too busy, nothing was created', 503);
      throw error;
    }
  };
}
