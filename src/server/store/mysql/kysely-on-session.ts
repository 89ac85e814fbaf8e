import {
  CompiledQuery,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
} from 'kysely';
import type { MysqlSession } from './mysql-session.js';

/** Changing a big table takes as long as it takes. */
const STATEMENT_TIMEOUT_MS = 24 * 3_600_000;

/** A kysely that does all its work on one session; it does not close it. Without a session it can only compile. */
export function kyselyOn<DB>(session: MysqlSession | undefined): Kysely<DB> {
  return new Kysely<DB>({
    dialect: {
      createAdapter: () => new MysqlAdapter(),
      createDriver: () => new SessionDriver(session),
      createIntrospector: (db) => new MysqlIntrospector(db),
      createQueryCompiler: () => new MysqlQueryCompiler(),
    },
  });
}

class SessionDriver implements Driver {
  readonly #session: MysqlSession | undefined;

  constructor(session: MysqlSession | undefined) {
    this.#session = session;
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    if (!this.#session) throw new Error('this kysely only compiles queries');
    return new SessionConnection(this.#session);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async init(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

class SessionConnection implements DatabaseConnection {
  readonly #session: MysqlSession;

  constructor(session: MysqlSession) {
    this.#session = session;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.#session.query(sql, parameters, STATEMENT_TIMEOUT_MS);
    // kysely's types say what the rows are.
    return { rows: Array.isArray(result) ? (result as R[]) : [] };
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('nothing is streamed here');
  }
}
