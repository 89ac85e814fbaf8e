import { OnConflict, type HostRef, type HostWrites, type RowWrite, type WriteMaker } from './dialect.js';
import { columnNames, OWN_TABLES } from './schema/columns.js';
import {
  ORIGINAL_COLUMNS,
  type AgentRow,
  type RequestKeyRow,
  type TaskOptionsRow,
  type RunRow,
  type SessionRow,
  type TaskActionTable,
  type TaskHostDoingTable,
  type TaskMetaRow,
  type TaskSchedulerTable,
} from './schema/tables.js';

/** Order of the writes into one table within a joined transaction: what a later one relies on comes first. */
const Rank = Object.freeze({
  lock: 0,
  expire: 0,
  lockMore: 1,
  insert: 2,
  delete: 3,
  insertAfter: 4,
  keep: 5,
  start: 6,
  end: 7,
  finish: 8,
} as const);

export type Writes = ReturnType<typeof makeWrites>;

/** Every statement that the store changes rows with, the same for all databases. */
export function makeWrites(maker: WriteMaker) {
  const { task_meta, task_action, task_scheduler, task_host_doing } = ORIGINAL_COLUMNS;
  const action = { table: 'task_action', where: task_action, expectRows: 1 } as const;
  const scheduler = { table: 'task_scheduler', where: task_scheduler, expectRows: 1 } as const;
  const doing = { table: 'task_host_doing', where: task_host_doing, expectRows: 1 } as const;
  const run = { table: 'ibex_run', key: OWN_TABLES.ibex_run.key } as const;
  const agent = { table: 'ibex_agent', key: OWN_TABLES.ibex_agent.key, columns: columnNames('ibex_agent') } as const;
  const { ibex_session: session, ibex_idempotency: request } = OWN_TABLES;
  const hosts = new Map<string, HostWrites>();
  return {
    insertMeta: maker.insert<TaskMetaRow>({
      table: 'task_meta',
      rank: Rank.insert,
      columns: task_meta,
      unique: 'task-id',
    }),

    insertOptions: maker.insert<TaskOptionsRow>({
      table: 'ibex_task',
      rank: Rank.insert,
      columns: columnNames('ibex_task'),
    }),

    insertAction: maker.insert<TaskActionTable>({ table: action.table, rank: Rank.insert, columns: task_action }),
    setAction: maker.update<TaskActionTable>({
      ...action,
      rank: Rank.insert,
      set: ['action', 'clock'],
      where: ['id'],
    }),
    /** fails where there is none */
    touchAction: maker.update<Pick<TaskActionTable, 'id' | 'clock'>>({
      ...action,
      rank: Rank.insert,
      set: ['clock'],
      where: ['id'],
    }),
    lockAction: maker.lock<TaskActionTable>({ ...action, rank: Rank.lock }),
    /** fails where there is none, and while a host of the task has a doing row */
    deleteAction: maker.delete<TaskActionTable>({
      ...action,
      // After whatever takes the doing rows away.
      rank: Rank.finish,
      and: 'not exists (select 1 from task_host_doing where task_host_doing.id = task_action.id)',
    }),

    insertScheduler: maker.insert<TaskSchedulerTable>({
      table: scheduler.table,
      rank: Rank.insert,
      columns: task_scheduler,
    }),
    lockScheduler: maker.lock<TaskSchedulerTable>({ ...scheduler, rank: Rank.lock }),
    /** fails where there is none */
    deleteScheduler: maker.delete<TaskSchedulerTable>({ ...scheduler, rank: Rank.finish }),

    insertDoing: maker.insert<TaskHostDoingTable>({
      table: doing.table,
      rank: Rank.insertAfter,
      columns: task_host_doing,
    }),
    deleteDoing: maker.delete<HostRef>({ table: doing.table, rank: Rank.delete, where: ['id', 'host'] }),
    /** nothing happens where there is none */
    dropDoing: maker.delete<HostRef & { readonly clock: number }>({
      table: doing.table,
      rank: Rank.delete,
      where: ['id', 'host', 'clock'],
    }),
    lockDoing: maker.lock<TaskHostDoingTable>({ ...doing, rank: Rank.lock }),
    /** fails where there is no such row, or the start is remembered */
    lockNotDispatched: maker.lock<TaskHostDoingTable>({
      ...doing,
      rank: Rank.lockMore,
      unless: { table: run.table, columns: { task_id: 'id', host: 'host', clock: 'clock' } },
    }),

    /** a start that is to be remembered, if it is not yet */
    keepRun: maker.upsert<Pick<RunRow, (typeof run.key)[number]>>({
      ...run,
      rank: Rank.keep,
      columns: run.key,
      onConflict: {},
    }),
    startRun: maker.upsert<Pick<RunRow, (typeof run.key)[number]> & { readonly started_ms: number }>({
      ...run,
      rank: Rank.start,
      columns: [...run.key, 'started_ms'],
      onConflict: { started_ms: OnConflict.replace },
    }),
    /** all that a result says; a start time is only ever added */
    endRun: maker.upsert<RunRow>({
      ...run,
      rank: Rank.end,
      columns: columnNames('ibex_run'),
      onConflict: {
        ...replacing(columnNames('ibex_run'), run.key),
        started_ms: OnConflict.replaceUnlessNull,
      },
    }),

    /** takes over a key that has expired, and fails as a duplicate of one that has not; `expires_ms` counts from now */
    takeKey: inOrder<RequestKeyRow>(
      maker.delete<RequestKeyRow>({
        table: 'ibex_idempotency',
        rank: Rank.expire,
        where: request.key,
        and: `expires_ms <= ${maker.nowMs}`,
      }),
      maker.insert<RequestKeyRow>({
        table: 'ibex_idempotency',
        rank: Rank.insert,
        columns: columnNames('ibex_idempotency'),
        values: { expires_ms: `${maker.nowMs} + ?` },
        unique: 'idempotency-key',
      }),
    ),

    /** inserts, or updates all but first_seen_ms and the key */
    saveAgent: maker.upsert<AgentRow>({
      ...agent,
      rank: Rank.insertAfter,
      onConflict: replacing(agent.columns, [...agent.key, 'public_key', 'first_seen_ms']),
    }),
    /** inserts, or fills in the key where there is none */
    pinAgent: maker.upsert<AgentRow>({
      ...agent,
      rank: Rank.insert,
      onConflict: { public_key: OnConflict.replaceEmpty },
    }),

    /** inserts, or updates */
    saveSession: maker.upsert<SessionRow>({
      table: 'ibex_session',
      key: session.key,
      rank: Rank.insert,
      columns: columnNames('ibex_session'),
      onConflict: replacing(columnNames('ibex_session'), session.key),
    }),
    deleteSession: maker.delete<Pick<SessionRow, (typeof session.key)[number]>>({
      table: 'ibex_session',
      rank: Rank.delete,
      where: session.key,
    }),

    hosts(table: `task_host_${number}`): HostWrites {
      let writes = hosts.get(table);
      if (!writes) {
        writes = maker.hosts(table);
        hosts.set(table, writes);
      }
      return writes;
    },
  };
}

function replacing<Name extends string>(
  columns: readonly Name[],
  except: readonly Name[],
): Readonly<Partial<Record<Name, OnConflict>>> {
  const rest = columns.filter((column) => !except.includes(column));
  const replaced: Partial<Record<Name, OnConflict>> = {};
  for (const column of rest) replaced[column] = OnConflict.replace;
  return replaced;
}

function inOrder<V>(...writes: readonly RowWrite<V>[]): RowWrite<V> {
  return { of: (scope, rows) => writes.flatMap((write) => write.of(scope, rows)) };
}
