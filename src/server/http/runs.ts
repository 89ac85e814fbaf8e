import type { RunDetail } from '../core/records.js';
import type { Store } from '../store/store.js';
import { NO_SUCH_TASK, ok } from './reply.js';
import { taskIdOf, type Handler } from './request.js';

/** GET /ibex/v1/runs/:id: how the newest run of each host of a task went, in the task's order */
export function listRuns(store: Store): Handler {
  return async (request) => {
    const id = taskIdOf(request);
    if (!(await store.meta(id))) return NO_SUCH_TASK;
    // Read after the hosts: a host that has ended is never shown without its details.
    const hosts = await store.hosts(id);
    const newest = new Map((await store.runDetails(id)).map((run) => [run.host, run]));
    return ok(hosts.map(({ host, status }) => runJson(host, status, newest.get(host))));
  };
}

function runJson(host: string, status: string, run: RunDetail | undefined) {
  const { startedMs = null, endedMs = null } = run ?? {};
  return {
    host,
    status,
    clock: run?.clock ?? null,
    exitCode: run?.exitCode ?? null,
    signal: run?.signal ?? null,
    reason: run?.reason ?? null,
    started: timeText(startedMs),
    ended: timeText(endedMs),
    durationMs: startedMs === null || endedMs === null ? null : endedMs - startedMs,
    stdoutBytes: run?.stdoutBytes ?? 0,
    stderrBytes: run?.stderrBytes ?? 0,
    stdoutTruncated: run?.stdoutTruncated ?? false,
    stderrTruncated: run?.stderrTruncated ?? false,
    late: run?.late ?? false,
  };
}

/** RFC 3339 with milliseconds */
function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
