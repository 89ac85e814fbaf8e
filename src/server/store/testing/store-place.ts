import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../../shared/log.js';
import { openSqliteStore } from '../sqlite/open-sqlite-store.js';
import type { Store } from '../store.js';

/** Where a store keeps its data, empty at first; what is left is removed with it. */
export interface StorePlace extends AsyncDisposable {
  open(firstId?: number): Promise<Store>;
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
