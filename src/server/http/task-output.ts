import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { HostOutput } from '../core/records.js';
import { NO_SUCH_TASK, ok, refusal, text } from './reply.js';
import { taskIdOf, type Handler } from './request.js';
import type { RunningOutput } from './running-output.js';
import { hostJson } from './task-json.js';

/** GET /ibex/v1/task/:id/stdout and /stderr: all fields of each host, with one stream */
export function taskStream(outputs: RunningOutput, stream: Stream): Handler {
  return async (request) => {
    const id = taskIdOf(request);
    const hosts = await outputs.of(id);
    if (!hosts) return NO_SUCH_TASK;
    return ok(hosts.map((host) => hostJson(id, host, { [stream]: host[stream] })));
  };
}

/** GET /ibex/v1/task/:id/stdout.json and /stderr.json; with ?host= only that host, under the name it was asked by */
export function taskStreamJson(outputs: RunningOutput, stream: Stream): Handler {
  return async (request) => {
    const id = taskIdOf(request);
    const wanted = request.query.get('host') || undefined;
    const hosts = await outputs.of(id, wanted);
    if (!hosts) return NO_SUCH_TASK;
    if (wanted !== undefined && hosts.length === 0) return refusal(noSuchHost(id, wanted));
    return ok(hosts.map((host) => ({ host: wanted ?? host.host, [stream]: host[stream] })));
  };
}

/** GET /ibex/v1/task/:id/stdout.txt and /stderr.txt */
export function taskStreamText(outputs: RunningOutput, stream: Stream): Handler {
  return async (request) => {
    const id = taskIdOf(request);
    const hosts = await outputs.of(id);
    if (!hosts) return text('no such task', 404);
    return text(hosts.map((host) => `${host.host}:\n${host[stream]}`).join('\n\n'));
  };
}

/** GET /ibex/v1/task/:id/host/:host/output: the whole entry, null for a host or task that does not exist */
export function hostOutput(outputs: RunningOutput): Handler {
  return async (request) => {
    const id = taskIdOf(request);
    const hosts = await outputs.of(id, request.params['host'] ?? '');
    const found: HostOutput | undefined = hosts?.[0];
    return ok(found ? hostJson(id, found, found) : null);
  };
}

/** GET /ibex/v1/task/:id/host/:host/stdout and /stderr: the bare text */
export function hostStream(outputs: RunningOutput, stream: Stream): Handler {
  return async (request) => {
    const id = taskIdOf(request);
    const wanted = request.params['host'] ?? '';
    const hosts = await outputs.of(id, wanted);
    if (!hosts) return NO_SUCH_TASK;
    const found = hosts[0];
    return found ? ok(found[stream]) : refusal(noSuchHost(id, wanted));
  };
}

function noSuchHost(id: number, host: string): string {
  return `task: ${id}, host(${host}) not exists`;
}
