import { sql, type Kysely } from 'kysely';
import type { StoreDialect } from '../dialect.js';
import type { SqlEngine } from '../engine.js';
import type { Tables } from '../schema/tables.js';
import { sqliteWrites } from './sqlite-writes.js';

/** The moments that text like 2026-01-02T03:04:05.000Z can hold and compare; the first and the last of them. */
const EARLIEST_MS = Date.UTC(0, 0, 1);
const LATEST_MS = Date.UTC(9_999, 11, 31, 23, 59, 59);

export function sqliteDialect(db: Kysely<Tables>, engine: SqlEngine): StoreDialect {
  return {
    writes: sqliteWrites,
    texts: undefined,
    // One server has a file.
    shared: false,
    nowMs: sql<number>`${sql.raw(sqliteWrites.nowMs)}`,
    nowSeconds: sql<number>`unixepoch()`,
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
