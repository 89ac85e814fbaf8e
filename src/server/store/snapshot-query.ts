import type { Kysely } from 'kysely';
import { pieces } from '../../shared/pieces.js';
import type { SqlEngine } from './engine.js';
import type { TaskHostDoingTable, Tables } from './schema/tables.js';
import type { Snapshot } from '../core/records.js';

/** Ids or names in one `in (…)`. */
const MOST_IN_QUERY = 500;

type ActiveRun = Snapshot['activeRuns'][number];

/** Reads the rows of the open tasks, or of those among these ids, whichever server wrote them. */
export async function readSnapshot(
  engine: SqlEngine,
  db: Kysely<Tables>,
  taskIds?: readonly number[],
): Promise<Snapshot> {
  if (!taskIds) return readPiece(engine, db, undefined);
  const tasks: Snapshot['tasks'][number][] = [];
  const activeRuns: ActiveRun[] = [];
  for (const piece of pieces(taskIds, MOST_IN_QUERY)) {
    const found = await readPiece(engine, db, piece);
    tasks.push(...found.tasks);
    for (const run of found.activeRuns) activeRuns.push(run);
  }
  return { tasks, activeRuns };
}

/** Reads the active runs on all hosts, or on these. */
export async function readActiveRunsOf(
  engine: SqlEngine,
  db: Kysely<Tables>,
  hosts?: readonly string[],
): Promise<ActiveRun[]> {
  if (!hosts) return (await engine.query(db.selectFrom('task_host_doing').selectAll().compile())).map(activeRunOf);
  const activeRuns: ActiveRun[] = [];
  for (const piece of pieces(hosts, MOST_IN_QUERY)) {
    const rows = await engine.query(db.selectFrom('task_host_doing').selectAll().where('host', 'in', piece).compile());
    // A column may compare more loosely than byte for byte.
    const asked = new Set(piece);
    for (const row of rows) if (asked.has(row.host)) activeRuns.push(activeRunOf(row));
  }
  return activeRuns;
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
  return { tasks: [...byId.values()], activeRuns: doingRows.map(activeRunOf) };
}

function activeRunOf({ id, host, clock, action }: TaskHostDoingTable): ActiveRun {
  return { taskId: id, host, clock, action };
}
