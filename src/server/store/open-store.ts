import type { Log } from '../../shared/log.js';
import { describeTarget, type MysqlTarget } from './mysql/mysql-target.js';
import { openMysqlStore } from './mysql/open-mysql-store.js';
import { openSqliteStore } from './sqlite/open-sqlite-store.js';
import type { Store } from './store.js';

/** Which database, and how to reach it. */
export type DatabaseConfig =
  { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'mysql'; readonly target: MysqlTarget };

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
