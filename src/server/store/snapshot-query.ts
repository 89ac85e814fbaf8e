import type { Kysely } from 'kysely';
import type { SqlEngine } from './engine.js';
import type { TaskHostDoingTable, Tables } from './schema/tables.js';
import type { Snapshot } from '../core/records.js';

/** Ids or names in one `in (…)`. */
const MOST_IN_QUERY = 500;

type Doing = Snapshot['activeRuns'][number];

/** Reads what all servers have written of the open tasks, or of those among these ids. */
export async function readSnapshot(
  engine: SqlEngine,
  db: Kysely<Tables>,
  taskIds?: readonly number[],
): Promise<Snapshot> {
  if (!taskIds) return readPiece(engine, db, undefined);
  const tasks: Snapshot['tasks'][number][] = [];
  const doings: Doing[] = [];
  for (const piece of pieces(taskIds)) {
    const found = await readPiece(engine, db, piece);
    tasks.push(...found.tasks);
    for (const doing of found.activeRuns) doings.push(doing);
  }
  return { tasks, activeRuns: doings };
}

/** Reads the runs under way on all hosts, or on these. */
export async function readActiveRunsOf(
  engine: SqlEngine,
  db: Kysely<Tables>,
  hosts?: readonly string[],
): Promise<Doing[]> {
  if (!hosts) return (await engine.query(db.selectFrom('task_host_doing').selectAll().compile())).map(doingOf);
  const doings: Doing[] = [];
  for (const piece of pieces(hosts)) {
    const rows = await engine.query(db.selectFrom('task_host_doing').selectAll().where('host', 'in', piece).compile());
    // A column may compare more loosely than byte for byte.
    const asked = new Set(piece);
    for (const row of rows) if (asked.has(row.host)) doings.push(doingOf(row));
  }
  return doings;
}

async function readPiece(
  engine: SqlEngine,
  db: Kysely<Tables>,
  taskIds: readonly number[] | undefined,
): Promise<Snapshot> {
  let tasks = db
    .selectFrom('task_action as a')
    .leftJoin('task_scheduler as s', 's.id', 'a.id')
    .select(['a.id', 'a.action', 'a.clock', 's.scheduler'])
    .orderBy('a.id');
  let doings = db.selectFrom('task_host_doing').selectAll();
  if (taskIds) {
    tasks = tasks.where('a.id', 'in', taskIds);
    doings = doings.where('id', 'in', taskIds);
  }
  const doingRows = await engine.query(doings.compile());
  const taskRows = await engine.query(tasks.compile());
  const byId = new Map<number, Snapshot['tasks'][number]>();
  for (const { id, action, clock, scheduler } of taskRows) {
    const twice = byId.has(id);
    byId.set(id, { taskId: id, action, actionClock: clock, scheduler: twice ? undefined : (scheduler ?? undefined) });
  }
  return { tasks: [...byId.values()], activeRuns: doingRows.map(doingOf) };
}

function doingOf({ id, host, clock, action }: TaskHostDoingTable): Doing {
  return { taskId: id, host, clock, action };
}

function* pieces<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += MOST_IN_QUERY) yield all.slice(at, at + MOST_IN_QUERY);
}
