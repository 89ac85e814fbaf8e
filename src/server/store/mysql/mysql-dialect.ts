import { DummyDriver, Kysely, MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler, sql } from 'kysely';
import type { StoreDialect } from '../dialect.js';
import type { SqlEngine } from '../engine.js';
import type { Tables } from '../schema/tables.js';
import { mysqlWrites } from './mysql-writes.js';
import type { TextColumns } from './text-columns.js';

/** The latest moment that a datetime can be compared with. */
const LATEST_MS = Date.UTC(9_999, 11, 31, 23, 59, 59);

/** Only compiles queries. */
export const mysqlQueries = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new MysqlAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new MysqlQueryCompiler(),
  },
});

const AUTO_INCREMENT = sql<{ next: number | null }>`
  select auto_increment as next from information_schema.tables
  where table_schema = database() and table_name = 'task_meta'`.compile(mysqlQueries);

export function mysqlDialect(engine: SqlEngine, texts: TextColumns): StoreDialect {
  return {
    writes: mysqlWrites,
    texts,
    shared: true,
    nowMs: sql<number>`${sql.raw(mysqlWrites.nowMs)}`,
    nowSeconds: sql<number>`unix_timestamp()`,
    // The sessions' time zone is UTC.
    timeText: (timeMs) =>
      new Date(Math.min(LATEST_MS, Math.max(0, timeMs))).toISOString().replace('T', ' ').replace('Z', ''),
    nextOwnId: async () => {
      const [row] = await engine.query(AUTO_INCREMENT);
      return row?.next ?? 1;
    },
    // Above all ids that a Nightingale has seen of a database that this one replaces.
    firstId: Math.floor(Date.now() / 1_000),
  };
}
