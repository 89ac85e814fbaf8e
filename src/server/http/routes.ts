import type { Store } from '../store/store.js';
import type { TaskService } from '../tasks/task-service.js';
import type { Endpoint } from './api-server.js';
import { forgetKey, listHosts, type HostDirectory } from './hosts.js';
import { addr, healthz, pid, ping, version } from './plain-routes.js';
import type { Handler } from './request.js';
import type { Method, Route } from './router.js';
import { listRuns } from './runs.js';
import { RunningOutput, type OutputSource } from './running-output.js';
import { actOnHost, actOnTask } from './task-actions.js';
import { createTask } from './task-create.js';
import { doneIds, listTasks } from './task-list.js';
import { hostOutput, hostStream, taskStream, taskStreamJson, taskStreamText } from './task-output.js';
import { actionOfTask, taskResult, taskState, viewTask } from './task-view.js';

export interface ApiParts {
  readonly store: Store;
  readonly tasks: TaskService;
  readonly outputs: OutputSource;
  readonly directory: HostDirectory;
}

/**
 * Every route of the API. Nothing but views of tasks and actions on them may lie below /ibex/v1/task/: Nightingale
 * passes that prefix on for every one of its users.
 */
export function apiRoutes({ store, tasks, outputs, directory }: ApiParts): Route<Endpoint>[] {
  const running = new RunningOutput(store, tasks, outputs);
  const task = '/ibex/v1/task/:id';
  const streams = (['stdout', 'stderr'] as const).flatMap((stream) => [
    restricted('GET', `${task}/${stream}`, taskStream(running, stream)),
    restricted('GET', `${task}/${stream}.json`, taskStreamJson(running, stream)),
    restricted('GET', `${task}/${stream}.txt`, taskStreamText(running, stream)),
    restricted('GET', `${task}/host/:host/${stream}`, hostStream(running, stream)),
  ]);
  return [
    open('/ping', ping),
    open('/pid', pid),
    open('/version', version),
    open('/addr', addr),
    open('/healthz', healthz(store)),
    restricted('POST', '/ibex/v1/tasks', createTask(tasks)),
    restricted('GET', '/ibex/v1/tasks', listTasks(store)),
    restricted('GET', '/ibex/v1/tasks/done-ids', doneIds(store)),
    restricted('GET', task, viewTask(store)),
    restricted('GET', `${task}/state`, taskState(store)),
    restricted('GET', `${task}/result`, taskResult(store)),
    restricted('PUT', `${task}/action`, actOnTask(tasks, store)),
    restricted('PUT', `${task}/host/:host/action`, actOnHost(tasks, store)),
    restricted('GET', `${task}/host/:host/output`, hostOutput(running)),
    ...streams,
    restricted('GET', '/ibex/v1/runs/:id', listRuns(store)),
    restricted('GET', '/ibex/v1/action/:id', actionOfTask(store, tasks)),
    restricted('GET', '/ibex/v1/hosts', listHosts(directory)),
    restricted('DELETE', '/ibex/v1/host/:host/key', forgetKey(directory)),
  ];
}

function open(path: string, handle: Handler): Route<Endpoint> {
  return { method: 'GET', path, handler: { handle, restricted: false } };
}

function restricted(method: Method, path: string, handle: Handler): Route<Endpoint> {
  return { method, path, handler: { handle, restricted: true } };
}
