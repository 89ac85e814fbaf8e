import type { Selectable } from 'kysely';
import { DEFAULT_TIMEOUT_SECONDS } from '../../shared/protocol/limits.js';
import { isHostStatus, isRunReason, type HostStatus } from '../../shared/task-states.js';
import type { AgentTable, RunRow, TaskMetaTable } from './schema/tables.js';
import type { RunDetail, TaskMeta } from '../core/records.js';
import { UnreadableTaskError, type AgentRecord } from './store.js';

/**
 * Between rows and the values the rest of the server knows. What others may have written into a row is checked here.
 */

export function taskMeta(row: Selectable<TaskMetaTable>): TaskMeta {
  const timeout = row.timeout || DEFAULT_TIMEOUT_SECONDS;
  return { ...row, timeout, stdin: row.stdin ?? '', created: new Date(row.created) };
}

/** Throws UnreadableTaskError for a status that no ibex writes. */
export function hostStatus(text: string, taskId: number, host: string): HostStatus {
  if (isHostStatus(text)) return text;
  throw new UnreadableTaskError(`task ${taskId}: host ${host} has an unknown status in the database`);
}

export function runDetail(row: RunRow): RunDetail {
  return {
    taskId: row.task_id,
    host: row.host,
    clock: row.clock,
    exitCode: row.exit_code,
    signal: row.signal,
    reason: isRunReason(row.reason) ? row.reason : null,
    startedMs: row.started_ms,
    endedMs: row.ended_ms,
    stdoutBytes: row.stdout_bytes,
    stderrBytes: row.stderr_bytes,
    stdoutTruncated: row.stdout_truncated !== 0,
    stderrTruncated: row.stderr_truncated !== 0,
    late: row.late !== 0,
  };
}

export function runRow(detail: RunDetail): RunRow {
  return {
    task_id: detail.taskId,
    host: detail.host,
    clock: detail.clock,
    exit_code: detail.exitCode,
    signal: detail.signal,
    reason: detail.reason,
    started_ms: detail.startedMs,
    ended_ms: detail.endedMs,
    stdout_bytes: detail.stdoutBytes,
    stderr_bytes: detail.stderrBytes,
    stdout_truncated: detail.stdoutTruncated ? 1 : 0,
    stderr_truncated: detail.stderrTruncated ? 1 : 0,
    late: detail.late ? 1 : 0,
  };
}

export function agentRecord(row: AgentTable): AgentRecord {
  return {
    host: row.host,
    key: row.public_key,
    storeId: row.store_id,
    bootId: row.boot_id,
    version: row.version,
    kind: row.kind,
    firstSeenMs: row.first_seen_ms,
    lastSeenMs: row.last_seen_ms,
  };
}

export function agentRow(record: AgentRecord): AgentTable {
  return {
    host: record.host,
    public_key: record.key,
    store_id: record.storeId,
    boot_id: record.bootId,
    version: record.version,
    kind: record.kind,
    first_seen_ms: record.firstSeenMs,
    last_seen_ms: record.lastSeenMs,
  };
}
