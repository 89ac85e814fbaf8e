import { UserError } from '../../../shared/errors.js';
import type { Log } from '../../../shared/log.js';
import { isDenied, isDuplicate, problemOf } from './mysql-errors.js';
import type { MysqlSession } from './mysql-session.js';
import { describeTarget, type MysqlTarget } from './mysql-target.js';
import { neededChanges, type SchemaChange } from './schema-changes.js';

/** Changing a big table takes as long as it takes. */
const CHANGE_TIMEOUT_MS = 24 * 3_600_000;
/** Another server that is changing the tables may have big ones. */
const LOCK_WAIT_SECONDS = 3_600;
const LOCK_TIMEOUT_MS = (LOCK_WAIT_SECONDS + 60) * 1_000;
/** Statements in one message; beyond them it names the file that has all of them. */
const TOLD_MOST = 5;

/**
 * Makes the tables that are missing and changes those that lack something. A user without the right to do so can serve
 * where nothing is needed. Throws UserError with the statements that an administrator is to run; rejects with the
 * server's error.
 */
export async function bringUpToDate(session: MysqlSession, target: MysqlTarget, log: Log): Promise<void> {
  if ((await neededChanges(session)).length === 0) return;
  // The name holds for the whole server, so the database is part of it; names are 64 characters at most. The lock ends
  // with the session.
  const lock = `ibex tables ${target.database}`.slice(0, 64);
  const got = await session.rows(`select get_lock(?, ${LOCK_WAIT_SECONDS}) as got`, [lock], LOCK_TIMEOUT_MS);
  if (!got.some((row) => Number(row['got']) === 1)) {
    throw new UserError(`another server has been changing the tables of ${describeTarget(target)} for too long`);
  }
  const begunMs = performance.now();
  const changes = await neededChanges(session);
  for (const change of changes) await apply(change, changes, session, target, log);
  const tables = new Set(changes.map(({ table }) => table)).size;
  log.info({ tables, ms: Math.round(performance.now() - begunMs) }, 'tables of the database brought up to date');
}

async function apply(
  change: SchemaChange,
  all: readonly SchemaChange[],
  session: MysqlSession,
  target: MysqlTarget,
  log: Log,
): Promise<void> {
  const { table, kind, sql } = change;
  if (kind !== 'create') log.info({ table, run: sql }, 'changing a table; on a big one this takes a while');
  try {
    await session.query(sql, [], CHANGE_TIMEOUT_MS);
  } catch (error) {
    if (session.lost) throw error;
    if (isOptional(change)) {
      log.warn(
        { table, run: sql, err: problemOf(error) },
        'a table could not be improved; ibex works without, but slower or for less',
      );
      return;
    }
    if (isDuplicate(error)) {
      throw new UserError(`the table ${table} holds the same host of a task twice, which no ibex has written: ${sql}`);
    }
    const where = `the tables of the MySQL database ${describeTarget(target)}`;
    if (!isDenied(error)) throw new UserError(`cannot bring ${where} up to date: ${problemOf(error)}: ${sql}`);
    throw new UserError(
      `${where} lack something that user "${target.user}" may not add: ${problemOf(error)}; ${remedy(all)}`,
    );
  }
}

/** An index makes looking up quicker, and a wider column takes longer texts; all else must be there. */
function isOptional({ kind }: SchemaChange): boolean {
  return kind === 'index' || kind === 'widen';
}

function remedy(changes: readonly SchemaChange[]): string {
  const needed = changes.filter((change) => !isOptional(change));
  const created = needed.filter(({ kind }) => kind === 'create');
  const parts = needed.filter((change) => created.length <= TOLD_MOST || change.kind !== 'create').slice(0, TOLD_MOST);
  const file = parts.length < needed.length ? ['sql/ibex.sql makes what is missing'] : [];
  return `have an administrator run: ${[...file, ...parts.map(({ sql }) => `${sql};`)].join(' and ')}`;
}
