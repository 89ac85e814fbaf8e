import { isHostAction, isTaskAction } from '../../shared/task-states.js';
import type { Store } from '../store/store.js';
import type { ActionOutcome, TaskService } from '../tasks/task-service.js';
import { JsonObject } from './json-object.js';
import { NO_SUCH_TASK, ok, refusal, type Reply } from './reply.js';
import { RefusedError, taskIdOf, type Handler } from './request.js';

/** PUT /ibex/v1/task/:id/action {"action": "start" | "pause" | "cancel" | "kill"} */
export function actOnTask(tasks: TaskService, store: Store): Handler {
  return async (request) => {
    const taskId = taskIdOf(request);
    const action = actionIn(request.body);
    if (isTaskAction(action)) return outcomeReply(await tasks.act(taskId, action));
    return refuseAction(store, taskId, action);
  };
}

/** PUT /ibex/v1/task/:id/host/:host/action {"action": "ignore" | "redo" | "kill"} */
export function actOnHost(tasks: TaskService, store: Store): Handler {
  return async (request) => {
    const taskId = taskIdOf(request);
    const action = actionIn(request.body);
    if (isHostAction(action)) return outcomeReply(await tasks.actOnHost(taskId, request.params['host'] ?? '', action));
    return refuseAction(store, taskId, action);
  };
}

/** The action's name, or what is wrong with the body. */
function actionIn(body: string): string | RefusedError {
  try {
    return new JsonObject(body).text('action');
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}

/** An unknown task is the first complaint, then a broken body, then a finished task, then an unknown action. */
async function refuseAction(store: Store, taskId: number, action: string | RefusedError): Promise<Reply> {
  if (!(await store.meta(taskId))) return NO_SUCH_TASK;
  if (action instanceof RefusedError) throw action;
  if ((await store.action(taskId)) === undefined) return refusal('task already finished, no more action can do');
  return refusal('action invalid');
}

function outcomeReply(outcome: ActionOutcome): Reply {
  switch (outcome.outcome) {
    case 'done':
      return ok(outcome.hint);
    case 'refused':
      return refusal(outcome.why);
    case 'not-found':
      return NO_SUCH_TASK;
    default:
      return outcome satisfies never;
  }
}
