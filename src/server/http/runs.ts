import { EMPTY_REPORT, type RunReport } from '../../shared/run-report.js';
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
    return ok(hosts.map(({ host, status }) => runJson(host, status, newest.get(host) ?? NOT_STARTED)));
  };
}

const NOT_STARTED = Object.freeze({ ...EMPTY_REPORT, clock: null, endedMs: null, late: false });

function runJson(host: string, status: string, run: Omit<RunDetail, 'taskId' | 'host'> | typeof NOT_STARTED) {
  const { startedMs, endedMs } = run;
  // Named one by one: the order of the fields is part of what callers know.
  return {
    host,
    status,
    clock: run.clock,
    exitCode: run.exitCode,
    signal: run.signal,
    reason: run.reason,
    started: timeText(startedMs),
    ended: timeText(endedMs),
    durationMs: startedMs === null || endedMs === null ? null : endedMs - startedMs,
    stdoutBytes: run.stdoutBytes,
    stderrBytes: run.stderrBytes,
    stdoutTruncated: run.stdoutTruncated,
    stderrTruncated: run.stderrTruncated,
    late: run.late,
  } satisfies Record<string, unknown> & Record<Exclude<keyof RunReport, 'startedMs' | 'endedMs'>, unknown>;
}

/** RFC 3339 with milliseconds */
function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
