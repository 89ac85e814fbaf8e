import { setTimeout as wait } from 'node:timers/promises';
import { Migrator } from 'kysely/migration';
import { describeError, UserError } from '../../../shared/errors.js';
import type { Log } from '../../../shared/log.js';
import { DEFAULT_LIMITS } from '../group-commit.js';
import type { Tables } from '../schema/tables.js';
import { SqlStore } from '../sql-store.js';
import { StoreError, type Store } from '../store.js';
import { kyselyOn } from './kysely-on-session.js';
import { mysqlDialect } from './mysql-dialect.js';
import { MysqlEngine } from './mysql-engine.js';
import { connectProblem, mayBeReachedLater, serverErrno } from './mysql-errors.js';
import { addColumns, mysqlMigrations } from './mysql-migrations.js';
import { MysqlSession } from './mysql-session.js';
import { describeAddress, describeTarget, type MysqlTarget } from './mysql-target.js';

/** How long a server that does not answer yet is tried; whoever started ibex starts it again after that. */
const REACH_MS = 10_000;
const REACH_EVERY_MS = 500;
/** The other server that is changing the tables may have big ones. */
const LOCK_WAIT_SECONDS = 3_600;
const LOCK_TIMEOUT_MS = (LOCK_WAIT_SECONDS + 60) * 1_000;
/** The longest statement is one that creates a task: script and stdin, both escaped. */
const NEEDED_PACKET_BYTES = 2 << 20;
const UNKNOWN_DATABASE = 1049;

export interface MysqlStoreOptions {
  readonly target: MysqlTarget;
  readonly log: Log;
  /** the lowest task id to give; without it an empty database begins at the unix time in seconds */
  readonly firstId?: number | undefined;
  /** how long a server that does not answer is tried before UserError, ms; 10 s by default */
  readonly reachMs?: number;
}

/**
 * Makes the database if there is none, brings its tables up to date and opens it; another server that does the same at
 * the same time is waited for. Throws UserError where it can't be reached or used; no message tells the password.
 */
export async function openMysqlStore({ target, log, firstId, reachMs }: MysqlStoreOptions): Promise<Store> {
  const maxPacketBytes = await prepare(target, log, reachMs ?? REACH_MS);
  const engine = new MysqlEngine(target);
  try {
    const db = kyselyOn<Tables>(undefined);
    const limits = { ...DEFAULT_LIMITS, groupBytes: Math.min(DEFAULT_LIMITS.groupBytes, maxPacketBytes / 2) };
    return await SqlStore.open({ engine, db, dialect: mysqlDialect(db, engine), firstId, limits });
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    if (!(error instanceof StoreError)) throw error;
    throw new UserError(
      `cannot use the MySQL database ${describeTarget(target)}: ${describeError(error.cause ?? error)}`,
    );
  }
}

/** Returns max_allowed_packet, bytes. */
async function prepare(target: MysqlTarget, log: Log, reachMs: number): Promise<number> {
  await using session = await reach(target, log, reachMs);
  const { maxPacketBytes } = session;
  if (maxPacketBytes < NEEDED_PACKET_BYTES) {
    log.warn(
      { maxPacketBytes },
      'max_allowed_packet of the database is small: tasks with a long stdin will be refused',
    );
  }
  try {
    await migrate(session, target, log);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `cannot bring the tables of the MySQL database ${describeTarget(target)} up to date: ${describeError(error)}`,
    );
  }
  return maxPacketBytes;
}

async function reach(target: MysqlTarget, log: Log, reachMs: number): Promise<MysqlSession> {
  const untilMs = performance.now() + reachMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await openOrCreate(target, log);
    } catch (error) {
      if (error instanceof UserError) throw error;
      const problem = connectProblem(error);
      const where = `the MySQL database at ${describeAddress(target)} as user "${target.user}"`;
      if (!mayBeReachedLater(error) || performance.now() > untilMs) {
        throw new UserError(`cannot reach ${where}: ${problem}`);
      }
      if (attempt === 0) log.warn({ problem }, `cannot reach ${where} yet, trying for ${reachMs / 1_000} s`);
      await wait(REACH_EVERY_MS);
    }
  }
}

async function openOrCreate(target: MysqlTarget, log: Log): Promise<MysqlSession> {
  try {
    return await MysqlSession.open(target, { kind: 'migrate' });
  } catch (error) {
    if (serverErrno(error) !== UNKNOWN_DATABASE) throw error;
  }
  await using session = await MysqlSession.open(target, { kind: 'migrate', inDatabase: false });
  const create = 'create database if not exists ?? default character set utf8mb4';
  try {
    await session.query(create, [target.database], LOCK_TIMEOUT_MS);
  } catch (error) {
    throw new UserError(
      `there is no database ${target.database} at ${describeAddress(target)}, ` +
        `and user "${target.user}" may not create it: ${describeError(error)}`,
    );
  }
  log.info({ database: describeTarget(target) }, 'database created');
  return await MysqlSession.open(target, { kind: 'migrate' });
}

async function migrate(session: MysqlSession, target: MysqlTarget, log: Log): Promise<void> {
  // The migrator has a lock of its own, but makes the tables that it needs before it takes it. The name holds for the
  // whole server, so the database is part of it; names are 64 characters at most.
  const lock = `ibex tables ${target.database}`.slice(0, 64);
  const got = await session.rows(`select get_lock(?, ${LOCK_WAIT_SECONDS}) as got`, [lock], LOCK_TIMEOUT_MS);
  if (!got.some((row) => Number(row['got']) === 1)) {
    throw new UserError(`another server has been changing the tables of ${describeTarget(target)} for too long`);
  }
  const db = kyselyOn<unknown>(session);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...mysqlMigrations(log) }) },
    migrationTableName: 'ibex_migration',
    migrationLockTableName: 'ibex_migration_lock',
  });
  const begunMs = performance.now();
  // The lock ends with the session.
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error(describeError(error));
  await addColumns(db, log);
  if (results.length > 0) {
    const ms = Math.round(performance.now() - begunMs);
    log.info(
      { migrations: results.map(({ migrationName }) => migrationName), ms },
      'tables of the database brought up to date',
    );
  }
}
