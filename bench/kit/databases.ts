import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createLog, LogLevel } from '../../src/shared/log.js';
import { openMysqlStore } from '../../src/server/store/mysql/open-mysql-store.js';
import { openSqliteStore } from '../../src/server/store/sqlite/open-sqlite-store.js';
import type { Store } from '../../src/server/store/store.js';
import type { MysqlDatabase, MysqlServer } from './mysql-server.js';

const BUSY_TIMEOUT_MS = 60_000;

/** An empty database for one question's server. Disposing removes it. */
export interface BenchDatabase extends AsyncDisposable {
  /** for the report */
  readonly what: string;
  /** the section of a server.conf */
  readonly config: string;
  readonly mysql: { readonly server: MysqlServer; readonly database: MysqlDatabase } | undefined;
  /** One statement of the question's own, in words that both databases know. */
  run(statement: string): Promise<void>;
  /** As text of a statement: the moment so many seconds ago, as the column `created` holds it. */
  secondsAgo(seconds: string): string;
  openStore(): Promise<Store>;
}

export function sqliteDatabase(): BenchDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-bench-db-'));
  const path = join(folder, 'ibex.db');
  return {
    what: 'SQLite',
    config: `[SQLite]\nPath = "${path}"\n`,
    mysql: undefined,
    run: async (statement) => {
      const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
      try {
        database.exec(statement);
      } finally {
        database.close();
      }
    },
    secondsAgo: (seconds) => `strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || (${seconds}) || ' seconds')`,
    openStore: () => openSqliteStore({ path }),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function mysqlDatabase(server: MysqlServer): Promise<BenchDatabase> {
  const database = await server.createDatabase();
  return {
    what: server.product,
    config: database.config,
    mysql: { server, database },
    run: (statement) => database.run(statement),
    secondsAgo: (seconds) => `timestampadd(second, -(${seconds}), now())`,
    openStore: () => openMysqlStore({ target: database.target, log: createLog(LogLevel.error, 2) }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
