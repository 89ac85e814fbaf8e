import { setTimeout as wait } from 'node:timers/promises';
import { describeError, UserError } from '../../../shared/errors.js';
import type { Log } from '../../../shared/log.js';
import { didYouMean } from '../../../shared/nearest-name.js';
import { DEFAULT_LIMITS } from '../group-commit.js';
import { SqlStore } from '../sql-store.js';
import { StoreError, type Store } from '../store.js';
import { bringUpToDate } from './bring-up-to-date.js';
import { mysqlDialect, mysqlQueries } from './mysql-dialect.js';
import { MysqlEngine } from './mysql-engine.js';
import { isUnknownDatabase, mayBeReachedLater, problemOf } from './mysql-errors.js';
import { MysqlSession } from './mysql-session.js';
import { describeAddress, describeTarget, type MysqlTarget } from './mysql-target.js';
import { TextColumns } from './text-columns.js';

/** How long a server that does not answer yet is tried; whoever started ibex starts it again after that. */
const REACH_MS = 10_000;
const REACH_EVERY_MS = 500;
/** Reading the catalogue of a busy server with many tables. */
const CATALOGUE_TIMEOUT_MS = 60_000;
/** The longest statement is one that creates a task: script and stdin, both escaped. */
const NEEDED_PACKET_BYTES = 2 << 20;

export interface MysqlStoreOptions {
  readonly target: MysqlTarget;
  readonly log: Log;
  /** the lowest task id to give; without it an empty database begins at the unix time in seconds */
  readonly firstId?: number | undefined;
  /** how long a server that does not answer is tried before UserError, ms; 10 s by default */
  readonly reachMs?: number;
}

/**
 * Brings the tables of the database up to date and opens it; another server that does the same at the same time is
 * waited for. A database that is missing is made only where the target says so. Throws UserError where it can't be
 * reached or used; no message tells the password.
 */
export async function openMysqlStore({ target, log, firstId, reachMs }: MysqlStoreOptions): Promise<Store> {
  const { maxPacketBytes, texts } = await prepare(target, log, reachMs ?? REACH_MS);
  const engine = new MysqlEngine(target, texts);
  try {
    const dialect = mysqlDialect(engine, texts);
    const limits = { ...DEFAULT_LIMITS, groupBytes: Math.min(DEFAULT_LIMITS.groupBytes, maxPacketBytes / 2) };
    return await SqlStore.open({ engine, db: mysqlQueries, dialect, firstId, limits });
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    if (!(error instanceof StoreError)) throw error;
    throw new UserError(
      `cannot use the MySQL database ${describeTarget(target)}: ${error.message} (${describeError(error.cause)})`,
    );
  }
}

async function prepare(
  target: MysqlTarget,
  log: Log,
  reachMs: number,
): Promise<{ readonly maxPacketBytes: number; readonly texts: TextColumns }> {
  await using session = await reach(target, log, reachMs);
  const { maxPacketBytes } = session;
  if (maxPacketBytes < NEEDED_PACKET_BYTES) {
    log.warn(
      { maxPacketBytes },
      'max_allowed_packet of the database is small: tasks with a long stdin will be refused',
    );
  }
  try {
    await bringUpToDate(session, target, log);
    const texts = await TextColumns.read(session, CATALOGUE_TIMEOUT_MS);
    for (const { charset, tables } of texts.narrow) {
      const run = tables.map((table) => `ALTER TABLE \`${table}\` CONVERT TO CHARACTER SET utf8mb4;`).join(' ');
      log.warn(
        { charset, tables, run },
        'these tables lack characters: outputs lose them, and tasks that need them are refused; have the statements run, then restart',
      );
    }
    return { maxPacketBytes, texts };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot use the MySQL database ${describeTarget(target)}: ${problemOf(error)}`);
  }
}

async function reach(target: MysqlTarget, log: Log, reachMs: number): Promise<MysqlSession> {
  const untilMs = performance.now() + reachMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await openOrCreate(target, log);
    } catch (error) {
      if (error instanceof UserError) throw error;
      const problem = problemOf(error);
      const where = `the MySQL database at ${describeAddress(target)} as user "${target.user}"`;
      if (!mayBeReachedLater(error) || performance.now() > untilMs) {
        throw new UserError(`cannot reach ${where}: ${problem}`);
      }
      if (attempt === 0) log.warn({ err: problem }, `cannot reach ${where} yet, trying for ${reachMs / 1_000} s`);
      await wait(REACH_EVERY_MS);
    }
  }
}

async function openOrCreate(target: MysqlTarget, log: Log): Promise<MysqlSession> {
  try {
    return await MysqlSession.open(target, { kind: 'migrate' });
  } catch (error) {
    if (!isUnknownDatabase(error)) throw error;
  }
  await using session = await MysqlSession.open(target, { kind: 'migrate', inDatabase: false });
  const { database, createDatabase } = target;
  if (!createDatabase) {
    const rows = await session.rows('show databases', [], CATALOGUE_TIMEOUT_MS);
    const near = didYouMean(database, rows.flatMap((row) => Object.values(row)).map(String));
    throw new UserError(
      `there is no database ${database} at ${describeAddress(target)}` +
        `${near}: make it, or let ibex do so by Create = true beside its name`,
    );
  }
  const create = 'create database if not exists ?? default character set utf8mb4';
  try {
    await session.query(create, [database], CATALOGUE_TIMEOUT_MS);
  } catch (error) {
    throw new UserError(
      `there is no database ${database} at ${describeAddress(target)}, ` +
        `and user "${target.user}" may not create it: ${problemOf(error)}`,
    );
  }
  log.warn({ database: describeTarget(target) }, 'there was no such database: a new, empty one is created');
  return await MysqlSession.open(target, { kind: 'migrate' });
}
