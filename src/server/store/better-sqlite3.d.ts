/** The part of better-sqlite3 that ibex uses; the package brings no types. */
declare module 'better-sqlite3' {
  interface Statement {
    /** true for statements that give rows */
    readonly reader: boolean;
    all(parameters: readonly unknown[]): unknown[];
    run(parameters: readonly unknown[]): { changes: number; lastInsertRowid: number };
    iterate(parameters: readonly unknown[]): IterableIterator<unknown>;
  }

  class Database {
    /** @param options.timeout how long to wait for another process's lock, ms */
    constructor(path: string, options?: { readonly timeout?: number });
    prepare(sql: string): Statement;
    exec(sql: string): this;
    close(): void;
  }

  class SqliteError extends Error {
    /** such as SQLITE_CONSTRAINT_UNIQUE */
    readonly code: string;
  }

  export { SqliteError, type Statement };
  export default Database;
}
