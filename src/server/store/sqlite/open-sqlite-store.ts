import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database, { SqliteError } from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { describeError, errorCode, UserError } from '../../../shared/errors.js';
import { ensureFolder } from '../../../shared/folder.js';
import type { Tables } from '../schema/tables.js';
import { SqlStore } from '../sql-store.js';
import type { Store } from '../store.js';
import { addColumns, sqliteMigrations } from './migrations.js';
import { sqliteDialect } from './sqlite-dialect.js';
import { SqliteEngine } from './sqlite-engine.js';
import { sqliteProblem } from './sqlite-problems.js';

/** How long another process's lock is waited for, ms. */
const BUSY_TIMEOUT_MS = 5_000;
/**
 * Pages of 4 KiB in the log before they are copied into the file, which whoever commits then waits for. Pages that are
 * written again meanwhile are copied once. SQLite's own 1,000 make that wait come four times as often.
 */
const CHECKPOINT_PAGES = 4_000;

export interface SqliteStoreOptions {
  /** the database's file; missing parent folders are made */
  readonly path: string;
  /** the lowest task id to give, 1 by default; an id that was given before is never given again */
  readonly firstId?: number | undefined;
}

/** Opens or creates the database and brings its tables up to date. Throws UserError where the file can't be used. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const database = openFile(options.path);
  try {
    const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
    await migrate(db, options.path);
    const engine = new SqliteEngine(database);
    return await SqlStore.open({ engine, db, dialect: sqliteDialect(db, engine), firstId: options.firstId });
  } catch (error) {
    database.close();
    throw error;
  }
}

function openFile(path: string): Database {
  let database: Database | undefined;
  try {
    ensureFolder(dirname(path), 0o700);
    keepPrivate(path);
    database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    // FULL: with WAL, NORMAL would lose the last commits in a power failure, after they had been acknowledged.
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = off');
    database.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    return database;
  } catch (error) {
    database?.close();
    throw new UserError(`cannot open the SQLite database ${path}: ${problem(error)}`);
  }
}

/** It holds the key that makes a server of whoever has it, and every script and output. SQLite's other files follow it. */
function keepPrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600);
}

async function migrate(db: Kysely<Tables>, path: string): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...sqliteMigrations }) },
    migrationTableName: 'ibex_migration',
    migrationLockTableName: 'ibex_migration_lock',
  });
  try {
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error instanceof Error ? error : new Error(describeError(error));
    await addColumns(db);
  } catch (error) {
    throw new UserError(`cannot bring the tables of the SQLite database ${path} up to date: ${problem(error)}`);
  }
}

function problem(error: unknown): string {
  switch (errorCode(error)) {
    case 'EACCES':
      return 'permission denied';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of its path is a file';
    default:
      return error instanceof SqliteError ? sqliteProblem(error.code) : describeError(error);
  }
}
