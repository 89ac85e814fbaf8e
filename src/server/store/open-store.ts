import type { Log } from '../../shared/log.js';
import type { DatabaseConfig } from '../config/database.js';
import { describeTarget } from './mysql/mysql-target.js';
import { openMysqlStore } from './mysql/open-mysql-store.js';
import { openSqliteStore } from './sqlite/open-sqlite-store.js';
import type { Store } from './store.js';

/** The store that the configuration names. Throws UserError where it can't be reached or used. */
export function openStore(database: DatabaseConfig, firstId: number | undefined, log: Log): Promise<Store> {
  switch (database.kind) {
    case 'sqlite':
      return openSqliteStore({ path: database.path, firstId });
    case 'mysql':
      return openMysqlStore({ target: database.target, firstId, log });
    default:
      return database satisfies never;
  }
}

/** For the log; no password in it. */
export function describeDatabase(database: DatabaseConfig): string {
  return database.kind === 'sqlite' ? `sqlite ${database.path}` : `mysql ${describeTarget(database.target)}`;
}
