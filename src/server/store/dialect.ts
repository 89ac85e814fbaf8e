import type { RawBuilder } from 'kysely';
import type { Statement } from './engine.js';
import type { AgentTable, RunRow, SessionTable, TaskMetaRow } from './schema/tables.js';

/** One kind of write. */
export interface RowWrite<V> {
  /** The statements for these rows; none for none. `scope`: what they are about, see StatementPart. */
  of(scope: string, rows: readonly V[]): readonly Statement[];
}

export interface RunRef {
  readonly task_id: number;
  readonly host: string;
  readonly clock: number;
}

export interface HostRef {
  readonly id: number;
  readonly host: string;
}

export interface ActionRow {
  readonly id: number;
  readonly action: string;
  readonly clock: number;
}

/** A change of a host's status that fails unless it has the status `from`. */
export interface HostChange extends HostRef {
  readonly from: string;
  readonly to: string;
}

export interface HostText extends HostRef {
  readonly stdout: string;
  readonly stderr: string;
}

/** Writes into the table that holds a task's hosts. */
export interface HostWrites {
  readonly insert: RowWrite<HostRef & { readonly status: string }>;
  readonly status: RowWrite<HostChange>;
  readonly output: RowWrite<HostChange & HostText>;
  /** whatever the status; no error if there is no such host */
  readonly outputOnly: RowWrite<HostText>;
}

/** Every statement that the store changes rows with, in one database's words. */
export interface Writes {
  readonly insertMeta: RowWrite<TaskMetaRow>;
  readonly insertAction: RowWrite<ActionRow>;
  readonly insertScheduler: RowWrite<{ readonly id: number; readonly scheduler: string }>;
  readonly insertDoing: RowWrite<HostRef & { readonly clock: number; readonly action: string }>;
  readonly deleteDoing: RowWrite<HostRef>;
  /** nothing happens where there is none */
  readonly dropDoing: RowWrite<HostRef & { readonly clock: number }>;
  /** changes nothing; fails where there is no such row, and keeps others from changing it until the commit */
  readonly lockDoing: RowWrite<HostRef & { readonly clock: number; readonly action: string }>;
  /** fails where there is no such row, or the start is remembered */
  readonly notDispatched: RowWrite<HostRef & { readonly clock: number; readonly action: string }>;
  /** a start that is to be remembered, if it is not yet */
  readonly runKept: RowWrite<RunRef>;
  readonly runStarted: RowWrite<RunRef & { readonly started_ms: number }>;
  /** all that a result says; a start time is only ever added */
  readonly runEnded: RowWrite<RunRow>;
  readonly setAction: RowWrite<ActionRow>;
  /** fails where there is none */
  readonly touchAction: RowWrite<{ readonly id: number; readonly clock: number }>;
  /** as holdDoing */
  readonly holdAction: RowWrite<ActionRow>;
  /** as holdDoing */
  readonly holdScheduler: RowWrite<{ readonly id: number; readonly scheduler: string }>;
  /** fails where there is none, and while a host of the task has a doing row */
  readonly deleteAction: RowWrite<ActionRow>;
  /** fails where there is none */
  readonly deleteScheduler: RowWrite<{ readonly id: number; readonly scheduler: string }>;
  /** takes over a key that has expired, and fails as a duplicate of one that has not */
  readonly idempotencyKey: RowWrite<{
    readonly request_key: string;
    readonly task_id: number;
    readonly ttl_ms: number;
  }>;
  /** inserts, or updates all but first_seen_ms and the key */
  readonly saveAgent: RowWrite<AgentTable>;
  /** inserts, or fills in the key where there is none */
  readonly pinAgent: RowWrite<AgentTable>;
  /** inserts, or updates */
  readonly saveSession: RowWrite<SessionTable>;
  readonly deleteSession: RowWrite<Pick<SessionTable, 'instance' | 'host'>>;
  hosts(table: `task_host_${number}`): HostWrites;
}

/** What differs between databases besides how they are reached. */
export interface StoreDialect {
  readonly writes: Writes;
  /** Other programs may write into the database. */
  readonly shared: boolean;
  /** The database's clock, unix ms. */
  readonly nowMs: RawBuilder<number>;
  /** The same in whole seconds. */
  readonly nowSeconds: RawBuilder<number>;
  /** A moment as the column task_meta.created takes it. */
  timeText(timeMs: number): string;
  /** The id that the database would give a new task by itself; 1 where it has never given any. */
  nextOwnId(): Promise<number>;
  /** The id of the first task of an empty database, where nobody wishes another. */
  readonly firstId: number;
}
