import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Log } from '../../../shared/log.js';
import { openSqliteStore } from '../sqlite/open-sqlite-store.js';
import type { Store } from '../store.js';

/** Where a store keeps its data, empty at first; what is left is removed with it. */
export interface StorePlace extends AsyncDisposable {
  open(firstId?: number): Promise<Store>;
  /** Statements of the test's own, one after the other; the rows of the last. */
  run(...statements: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export class SqlitePlace implements StorePlace {
  readonly path: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'ibex-store-'));

  constructor() {
    this.path = join(this.#folder, 'data', 'ibex.db');
  }

  open(firstId?: number): Promise<Store> {
    return openSqliteStore({ path: this.path, firstId });
  }

  async run(...statements: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const database = new Database(this.path);
    try {
      const last = statements.map((text) => {
        const statement = database.prepare(text);
        // SQLite gives an object a row.
        if (statement.reader) return statement.all([]) as Readonly<Record<string, unknown>>[];
        statement.run([]);
        return [];
      });
      return last.at(-1) ?? [];
    } finally {
      database.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#folder, { recursive: true });
  }
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
