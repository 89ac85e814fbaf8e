import type { ColumnType, Generated, Insertable, Selectable } from 'kysely';

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

export interface RunTable {
  task_id: number;
  host: string;
  clock: number;
  exit_code: number | null;
  signal: number | null;
  reason: string | null;
  started_ms: number | null;
  /** null until the agent's true result is here */
  ended_ms: number | null;
  stdout_bytes: Generated<number>;
  stderr_bytes: Generated<number>;
  stdout_truncated: Generated<number>;
  stderr_truncated: Generated<number>;
  late: Generated<number>;
}
export type RunRow = Selectable<RunTable>;

export interface AgentTable {
  host: string;
  public_key: string;
  store_id: string;
  boot_id: string;
  version: string;
  kind: string;
  first_seen_ms: number;
  last_seen_ms: number;
}

/** A server process. */
export interface ServerTable {
  instance: string;
  name: string;
  version: string;
  /** last sign of life, by the database's clock */
  seen_ms: number;
}

/** A session of an agent with a server process. */
export interface SessionTable {
  instance: string;
  host: string;
  address: string;
  /** by the clock of the server's machine */
  since_ms: number;
}

/** One row. */
export interface ClusterTable {
  id: string;
  server_key: string;
  last_task_id: number;
}

/** Keys of requests that may make one task only. */
export interface IdempotencyTable {
  /** 64 hex digits */
  request_key: string;
  task_id: number;
  /** by the database's clock */
  expires_ms: number;
}

/** MySQL only. A row for each writing connection: where a COMMIT's answer was lost, it tells whether it happened. */
export interface WriterTable {
  /** 32 hex digits */
  id: string;
  /** of the connection's last transaction */
  seq: number;
}

export interface Tables {
  task_meta: TaskMetaTable;
  task_action: TaskActionTable;
  task_scheduler: TaskSchedulerTable;
  task_scheduler_health: TaskSchedulerHealthTable;
  task_host_doing: TaskHostDoingTable;
  ibex_run: RunTable;
  ibex_agent: AgentTable;
  ibex_server: ServerTable;
  ibex_session: SessionTable;
  ibex_cluster: ClusterTable;
  ibex_idempotency: IdempotencyTable;
  ibex_writer: WriterTable;
  [hosts: `task_host_${number}`]: TaskHostTable;
}

export const HOST_TABLES = 100;

/** A task's host rows are in the table of its id modulo 100. Any whole number has one, also ids that no task can have. */
export function hostTable(taskId: number): `task_host_${number}` {
  return `task_host_${Math.abs(taskId % HOST_TABLES)}`;
}
