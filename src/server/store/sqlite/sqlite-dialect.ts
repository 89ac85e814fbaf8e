import type { Kysely } from 'kysely';
import type { StoreDialect } from '../dialect.js';
import type { SqlEngine } from '../engine.js';
import type { Tables } from '../schema/tables.js';
import { SQLITE_NOW_MS, SQLITE_NOW_SECONDS, SqliteWrites } from './sqlite-writes.js';

/** The moments that text like 2026-01-02T03:04:05.000Z can hold and compare; the first and the last of them. */
const EARLIEST_MS = Date.UTC(0, 0, 1);
const LATEST_MS = Date.UTC(9_999, 11, 31, 23, 59, 59);

export function sqliteDialect(db: Kysely<Tables>, engine: SqlEngine): StoreDialect {
  return {
    writes: new SqliteWrites(db),
    // One server has a file.
    shared: false,
    nowMs: SQLITE_NOW_MS,
    nowSeconds: SQLITE_NOW_SECONDS,
    timeText: (timeMs) => new Date(Math.min(LATEST_MS, Math.max(EARLIEST_MS, timeMs))).toISOString(),
    nextOwnId: async () => {
      // SQLite gives max + 1: it remembers nothing else.
      const [row] = await engine.query(
        db
          .selectFrom('task_meta')
          .select((eb) => eb.fn.max('id').as('highest'))
          .compile(),
      );
      return (row?.highest ?? 0) + 1;
    },
    firstId: 1,
  };
}
