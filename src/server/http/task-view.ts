import type { Store } from '../store/store.js';
import type { TaskService } from '../tasks/task-service.js';
import { NO_SUCH_TASK, ok } from './reply.js';
import { taskIdOf, type Handler } from './request.js';
import { hostJson, metaJson } from './task-json.js';

/** GET /ibex/v1/task/:id */
export function viewTask(store: Store): Handler {
  return async (request) => {
    const id = taskIdOf(request);
    const meta = await store.meta(id);
    if (!meta) return NO_SUCH_TASK;
    // The action is read before the hosts: a task that is done shows no host that still runs.
    const action = await store.action(id);
    const hosts = await store.hosts(id);
    return ok({
      action: action ?? '',
      hosts: hosts.map((host) => hostJson(id, host)),
      meta: metaJson(meta, action === undefined),
    });
  };
}

/** GET /ibex/v1/action/:id: the action in force, and why the task is paused if it is */
export function actionOfTask(store: Store, tasks: TaskService): Handler {
  return async (request) => {
    const id = taskIdOf(request);
    const meta = await store.meta(id);
    if (!meta) return NO_SUCH_TASK;
    const ended = { action: '', cause: null, failed: null, tolerance: meta.tolerance, pausedAfter: null };
    const { action, cause, failed, tolerance, pausedAfter } = (await tasks.action(id)) ?? ended;
    return ok({ action, cause, failed, tolerance, pausedAfter });
  };
}

/** GET /ibex/v1/task/:id/state: the action in force, or "done" (also for a task nobody knows) */
export function taskState(store: Store): Handler {
  return async (request) => ok((await store.action(taskIdOf(request))) ?? 'done');
}

/** GET /ibex/v1/task/:id/result: hosts by status */
export function taskResult(store: Store): Handler {
  return async (request) => {
    const byStatus: Record<string, string[]> = {};
    for (const { host, status } of await store.hosts(taskIdOf(request))) (byStatus[status] ??= []).push(host);
    return ok(byStatus);
  };
}
