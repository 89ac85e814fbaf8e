import type { IdempotencyKey, TaskChange } from '../../core/changes.js';
import type { RunDetail, TaskMeta } from '../../core/records.js';

export function metaOf(id: number): TaskMeta {
  return {
    id,
    title: 'disk full FH: a',
    account: 'root',
    batch: 2,
    tolerance: 1,
    timeout: 30,
    pause: 'b',
    script: '#!/bin/sh\r\necho "夜莺 🔥"\u0000',
    args: 'x,,y',
    stdin: 'in',
    terminal: true,
    creator: 'me',
    created: new Date('2026-01-02T03:04:05.000Z'),
  };
}

export function createOf(
  meta: TaskMeta,
  hosts: Readonly<Record<string, number | undefined>>,
  idempotencyKeys?: readonly IdempotencyKey[],
): TaskChange {
  return {
    kind: 'create-task',
    meta,
    action: 'start',
    actionClock: Math.floor(meta.created.getTime() / 1_000),
    scheduler: '127.0.0.1:20090',
    hosts: Object.entries(hosts).map(([host, startClock]) => ({ host, startClock })),
    idempotencyKeys,
  };
}

/** The task's own scheduler ends it. */
export function endOf(taskId: number): TaskChange {
  const actionClock = Math.floor(metaOf(taskId).created.getTime() / 1_000);
  return { kind: 'end-task', taskId, scheduler: '127.0.0.1:20090', action: 'start', actionClock };
}

/** As everywhere here, every field has a value that no column has by default. */
export function detailOf(taskId: number, host: string, clock: number, changes: Partial<RunDetail> = {}): RunDetail {
  return {
    taskId,
    host,
    clock,
    exitCode: 3,
    signal: 9,
    reason: 'policy',
    startedMs: 1_000,
    endedMs: 2_000,
    stdoutBytes: 70_000,
    stderrBytes: 1,
    stdoutTruncated: true,
    stderrTruncated: true,
    late: true,
    ...changes,
  };
}
