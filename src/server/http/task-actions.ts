import { isHostAction, isTaskAction } from '../../shared/task-states.js';
import type { Store } from '../store/store.js';
import type { ActionOutcome, TaskService } from '../tasks/task-service.js';
import { JsonObject } from './json-object.js';
import { NO_SUCH_TASK, ok, refusal, type Reply } from './reply.js';
import { RefusedError, taskIdOf, type Handler } from './request.js';

const FINISHED: Reply = Object.freeze(refusal('task already finished, no more action can do'));
const INVALID: Reply = Object.freeze(refusal('action invalid'));

/** PUT /ibex/v1/task/:id/action {"action": "start" | "pause" | "cancel" | "kill"} */
export function actOnTask(tasks: TaskService, store: Store): Handler {
  return async (request) => {
    const taskId = taskIdOf(request);
    const action = actionIn(request.body);
    if (isTaskAction(action)) return outcomeReply(await tasks.act(taskId, action));
    return refuseTaskAction(store, taskId, action);
  };
}

/** PUT /ibex/v1/task/:id/host/:host/action {"action": "ignore" | "redo" | "kill"} */
export function actOnHost(tasks: TaskService, store: Store): Handler {
  return async (request) => {
    const taskId = taskIdOf(request);
    const action = actionIn(request.body);
    if (!isHostAction(action)) return refuseHostAction(store, taskId, action);
    const host = await nameInTask(tasks, taskId, request.params['host'] ?? '');
    return outcomeReply(await tasks.actOnHost(taskId, host, action));
  };
}

/** The action's name, or what is wrong with the body. */
function actionIn(body: string): string | RefusedError {
  try {
    return new JsonObject(body).string('action');
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}

/** An unknown task is the first complaint, then a broken body, then a finished task, then an unknown action. */
async function refuseTaskAction(store: Store, taskId: number, action: string | RefusedError): Promise<Reply> {
  if (!(await store.meta(taskId))) return NO_SUCH_TASK;
  if (action instanceof RefusedError) throw action;
  return (await store.action(taskId)) === undefined ? FINISHED : INVALID;
}

/** As for a task, only that a finished one comes before a broken body. */
async function refuseHostAction(store: Store, taskId: number, action: string | RefusedError): Promise<Reply> {
  if (!(await store.meta(taskId))) return NO_SUCH_TASK;
  if ((await store.action(taskId)) === undefined) return FINISHED;
  if (action instanceof RefusedError) throw action;
  return INVALID;
}

/** A host as its task has it: the name itself, else one that differs only in letter case. */
async function nameInTask(tasks: TaskService, taskId: number, wanted: string): Promise<string> {
  const hosts = (await tasks.states(taskId)) ?? [];
  if (hosts.some(({ host }) => host === wanted)) return wanted;
  const folded = wanted.toLowerCase();
  return hosts.find(({ host }) => host.toLowerCase() === folded)?.host ?? wanted;
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
