import { sql, type Kysely } from 'kysely';
import type { StoreDialect } from '../dialect.js';
import type { SqlEngine } from '../engine.js';
import type { Tables } from '../schema/tables.js';
import { mysqlWrites } from './mysql-writes.js';

/** The latest moment that a datetime can be compared with. */
const LATEST_MS = Date.UTC(9_999, 11, 31, 23, 59, 59);

export function mysqlDialect(db: Kysely<Tables>, engine: SqlEngine): StoreDialect {
  const autoIncrement = sql<{ next: number | null }>`
    select auto_increment as next from information_schema.tables
    where table_schema = database() and table_name = 'task_meta'`.compile(db);
  return {
    writes: mysqlWrites,
    shared: true,
    nowMs: sql<number>`${sql.raw(mysqlWrites.nowMs)}`,
    nowSeconds: sql<number>`unix_timestamp()`,
    // The sessions' time zone is UTC.
    timeText: (timeMs) =>
      new Date(Math.min(LATEST_MS, Math.max(0, timeMs))).toISOString().replace('T', ' ').replace('Z', ''),
    nextOwnId: async () => {
      const [row] = await engine.query(autoIncrement);
      return row?.next ?? 1;
    },
    // Above all ids that a Nightingale has seen of a database that this one replaces.
    firstId: Math.floor(Date.now() / 1_000),
  };
}
