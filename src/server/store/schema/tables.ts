import type { ColumnType, Insertable } from 'kysely';
import type { OWN_TABLES, OwnTable, RowOf } from './columns.js';

/** The tables as kysely sees them. Times are unix ms except where a column is a text or a clock (unix seconds). */

export interface TaskMetaTable {
  id: number;
  title: string;
  account: string;
  batch: number;
  tolerance: number;
  timeout: number;
  pause: string;
  script: string;
  args: string;
  stdin: string | null;
  creator: string;
  /** written as text: SQLite ISO 8601 in UTC, so that it sorts as the time does, MySQL a timestamp; read from MySQL as Date */
  created: ColumnType<string | Date, string, never>;
}
export type TaskMetaRow = Insertable<TaskMetaTable>;

export interface TaskActionTable {
  id: number;
  action: string;
  clock: number;
}

export interface TaskSchedulerTable {
  id: number;
  scheduler: string;
}

export interface TaskSchedulerHealthTable {
  scheduler: string;
  /** when it last said that it lives */
  clock: number;
}

export interface TaskHostDoingTable {
  id: number;
  host: string;
  clock: number;
  action: string;
}

export interface TaskHostTable {
  /** given by the database: the order of a task's hosts */
  ii: ColumnType<number, never, never>;
  id: number;
  host: string;
  status: string;
  stdout: string | null;
  stderr: string | null;
}

export interface Tables extends OwnRows {
  task_meta: TaskMetaTable;
  task_action: TaskActionTable;
  task_scheduler: TaskSchedulerTable;
  task_scheduler_health: TaskSchedulerHealthTable;
  task_host_doing: TaskHostDoingTable;
  [hosts: `task_host_${number}`]: TaskHostTable;
}

type OwnRows = { [T in OwnTable]: RowOf<(typeof OWN_TABLES)[T]['columns']> };
export type RunRow = OwnRows['ibex_run'];
export type AgentRow = OwnRows['ibex_agent'];
export type SessionRow = OwnRows['ibex_session'];
export type RequestKeyRow = OwnRows['ibex_idempotency'];
export type TaskOptionsRow = OwnRows['ibex_task'];

/** The names of all columns that are written of the original tables; the types see to it that none is missing. */
export const ORIGINAL_COLUMNS = {
  task_meta: names<TaskMetaRow>({
    id: true,
    title: true,
    account: true,
    batch: true,
    tolerance: true,
    timeout: true,
    pause: true,
    script: true,
    args: true,
    stdin: true,
    creator: true,
    created: true,
  }),
  task_action: names<TaskActionTable>({ id: true, action: true, clock: true }),
  task_scheduler: names<TaskSchedulerTable>({ id: true, scheduler: true }),
  task_host_doing: names<TaskHostDoingTable>({ id: true, host: true, clock: true, action: true }),
} as const;

export const HOST_TABLES = 100;

/** A task's host rows are in the table of its id modulo 100. Any whole number has one, also ids that no task can have. */
export function hostTable(taskId: number): `task_host_${number}` {
  return `task_host_${Math.abs(taskId % HOST_TABLES)}`;
}

function names<Row>(columns: Readonly<Record<keyof Row, true>>): readonly (keyof Row & string)[] {
  // Object.keys gives these and no others; its type says less.
  return Object.keys(columns) as (keyof Row & string)[];
}
