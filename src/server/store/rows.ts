import type { Selectable } from 'kysely';
import { DEFAULT_TIMEOUT_SECONDS } from '../../shared/protocol/limits.js';
import { isHostStatus, type HostStatus } from '../../shared/task-states.js';
import type { RunDetail, TaskMeta } from '../core/records.js';
import { OWN_TABLES, type Columns, type RecordOf, type RowOf } from './schema/columns.js';
import type { TaskMetaTable } from './schema/tables.js';
import { UnreadableTaskError, type AgentRecord, type SessionRecord } from './store.js';

/*
 * Between rows and the values the rest of the server knows. What others may have written into a row is checked here.
 */

interface Mapper<Row, Record> {
  readonly toRow: (record: Record) => Row;
  readonly toRecord: (row: Row) => Record;
}

/** A field of a record without a column, or a column without a field, does not compile here. */
export const runMapper: Mapper<RowOf<typeof OWN_TABLES.ibex_run.columns>, RunDetail> = mapper(
  OWN_TABLES.ibex_run.columns,
);
export const agentMapper: Mapper<RowOf<typeof OWN_TABLES.ibex_agent.columns>, AgentRecord> = mapper(
  OWN_TABLES.ibex_agent.columns,
);
export const sessionMapper: Mapper<RowOf<typeof OWN_TABLES.ibex_session.columns>, SessionRecord> = mapper(
  OWN_TABLES.ibex_session.columns,
);

/** `terminal` is null of a task without a row in ibex_task. */
export function taskMeta(row: Selectable<TaskMetaTable> & { readonly terminal: number | null }): TaskMeta {
  const { terminal, ...columns } = row;
  const timeout = row.timeout || DEFAULT_TIMEOUT_SECONDS;
  const meta = { ...columns, timeout, stdin: row.stdin ?? '', created: new Date(row.created) };
  return terminal === null ? meta : { ...meta, terminal: terminal !== 0 };
}

/** Throws UnreadableTaskError for a status that no ibex writes. */
export function hostStatus(text: string, taskId: number, host: string): HostStatus {
  if (isHostStatus(text)) return text;
  throw new UnreadableTaskError(`task ${taskId}: host ${host} has an unknown status in the database`);
}

function mapper<C extends Columns>(columns: C): Mapper<RowOf<C>, RecordOf<C>> {
  const all = Object.entries(columns);
  const toRow = all.map(([name, { field, write }]): Step => ({ from: field, to: name, convert: write }));
  const toRecord = all.map(([name, { field, read }]): Step => ({ from: name, to: field, convert: read }));
  // Each step takes a value of its own column, and together they make all of the fields.
  return {
    toRow: (record) => converted(record, toRow) as RowOf<C>,
    toRecord: (row) => converted(row, toRecord) as RecordOf<C>,
  };
}

interface Step {
  readonly from: string;
  readonly to: string;
  readonly convert: (value: never) => unknown;
}

function converted(source: Readonly<Record<string, unknown>>, steps: readonly Step[]): unknown {
  const result: Record<string, unknown> = {};
  for (const { from, to, convert } of steps) result[to] = convert(source[from] as never);
  return result;
}
