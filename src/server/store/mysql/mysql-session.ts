import mysql, { type Connection, type ConnectionOptions } from 'mysql2';
import { ConnectionLostError, serverErrno } from './mysql-errors.js';
import { MysqlTls, type MysqlTarget } from './mysql-target.js';

/** How long the lock of a row or table is waited for, seconds; the transaction is tried again after that. */
const LOCK_WAIT_SECONDS = 1;
/** How long a reader waits for the lock of a table, seconds: less than for an answer at all. */
const READ_LOCK_WAIT_SECONDS = 5;

/** A row by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>;

export interface SessionUse {
  readonly kind: 'read' | 'write' | 'migrate';
  /** false: not in the database of the target, which may not exist yet */
  readonly inDatabase?: boolean;
}

/**
 * One connection, set up so that every server treats what we send alike. A statement that takes too long ends the
 * connection, because nothing is known of its state then. Whoever opened it disposes of it.
 */
export class MysqlSession implements AsyncDisposable {
  readonly connection: Connection;
  readonly openedMs = performance.now();
  #maxPacketBytes = 1 << 20;
  #lost: Error | undefined;
  readonly #onLost = new Set<(error: Error) => void>();

  /** Rejects with the server's or the system's error. */
  static async open(target: MysqlTarget, use: SessionUse): Promise<MysqlSession> {
    const session = new MysqlSession(target, use);
    try {
      await session.#connected(target.connectTimeoutMs);
      await session.#setUp(use, target.connectTimeoutMs);
      return session;
    } catch (error) {
      session.abort();
      throw error;
    }
  }

  private constructor(target: MysqlTarget, { kind, inDatabase = true }: SessionUse) {
    this.connection = mysql.createConnection({
      ...connectionOptions(target),
      // Only the writer needs it; elsewhere it would only help an attacker.
      multipleStatements: kind === 'write',
      ...(inDatabase ? { database: target.database } : {}),
    });
    // An 'error' that nobody listens to ends the process.
    this.connection.on('error', (error: Error) => this.#lose(error));
    this.connection.on('end', () => this.#lose(new ConnectionLostError('the connection was closed')));
  }

  /** The connection has ended, or is in a state that nobody knows. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** The longest text of statements that the server takes. */
  get maxPacketBytes(): number {
    return this.#maxPacketBytes;
  }

  /**
   * Rejects with the server's error, or with ConnectionLostError where the connection broke or no answer came in time;
   * the session is lost then. `sql` with several statements gives a list of results; `onResult` is told each as it comes,
   * also those before a statement that fails, where none of them gives rows.
   */
  query(
    sql: string,
    values: readonly unknown[],
    timeoutMs: number,
    onResult?: (result: unknown) => void,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#lost) {
        reject(new ConnectionLostError('the connection is closed', { cause: this.#lost }));
        return;
      }
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#onLost.delete(lost);
        act();
      };
      const lost = (error: Error): void =>
        settle(() => reject(new ConnectionLostError('the connection broke', { cause: error })));
      const timer = setTimeout(() => this.#lose(new Error(`no answer for ${timeoutMs} ms`)), timeoutMs);
      this.#onLost.add(lost);
      const command = this.connection.query({ sql, values: [...values] }, (error, result: unknown) => {
        if (!error) settle(() => resolve(result));
        else if (serverErrno(error) === 0 || error.fatal) this.#lose(error);
        else settle(() => reject(error));
      });
      if (onResult) command.on('result', onResult);
    });
  }

  /** As `query`, for one statement that gives rows; none for one that gives none. */
  async rows(sql: string, values: readonly unknown[], timeoutMs: number): Promise<readonly SqlRow[]> {
    const result = await this.query(sql, values, timeoutMs);
    return Array.isArray(result) ? result.filter(isRow) : [];
  }

  /** Ends the connection in good order; never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lost) return;
    this.#lost = new Error('closed');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 500);
      this.connection.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.connection.destroy();
  }

  /** Ends the connection at once; what was asked rejects. */
  abort(): void {
    this.#lose(new Error('closed'));
  }

  #lose(error: Error): void {
    if (this.#lost) return;
    this.#lost = error;
    this.connection.destroy();
    for (const tell of this.#onLost) tell(error);
  }

  #connected(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new ConnectionLostError('no answer')), timeoutMs);
      this.connection.connect((error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  async #setUp({ kind }: SessionUse, timeoutMs: number): Promise<void> {
    const variables = await this.#variables(timeoutMs);
    this.#maxPacketBytes = Number(variables.get('max_allowed_packet') ?? this.#maxPacketBytes);
    const settings = [
      // A server may force its own character set on connections.
      'set names utf8mb4',
      // Escapes in texts, quotes and what is refused must not depend on the server's settings.
      `set session sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', autocommit = 1`,
      `set session innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
    ];
    // Fewer locks between two servers; not possible where the binary log holds statements.
    const statementLog = variables.get('log_bin') === 'ON' && variables.get('binlog_format') === 'STATEMENT';
    if (kind === 'write' && !statementLog) settings.push('set session transaction isolation level read committed');
    // Changing a table may wait for hours; nothing else may.
    if (kind === 'write') settings.push(`set session lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
    if (kind === 'read') settings.push(`set session lock_wait_timeout = ${READ_LOCK_WAIT_SECONDS}`);
    // MySQL 8 would show the AUTO_INCREMENT of yesterday.
    if (variables.has('information_schema_stats_expiry')) {
      settings.push('set session information_schema_stats_expiry = 0');
    }
    for (const setting of settings) await this.query(setting, [], timeoutMs);
  }

  async #variables(timeoutMs: number): Promise<ReadonlyMap<string, string>> {
    const names = ['max_allowed_packet', 'log_bin', 'binlog_format', 'information_schema_stats_expiry'];
    const rows = await this.rows('show variables where variable_name in (?)', [names], timeoutMs);
    return new Map(rows.map((row) => [String(row['Variable_name']), String(row['Value'])]));
  }
}

function isRow(value: unknown): value is SqlRow {
  return typeof value === 'object' && value !== null;
}

function connectionOptions(target: MysqlTarget): ConnectionOptions {
  return {
    ...target.address,
    user: target.user,
    password: target.password,
    charset: 'utf8mb4',
    timezone: 'Z',
    connectTimeout: target.connectTimeoutMs,
    enableKeepAlive: true,
    // The server must not be able to ask for our files.
    flags: ['-LOCAL_FILES'],
    ...(target.tls === MysqlTls.off ? {} : { ssl: { rejectUnauthorized: target.tls === MysqlTls.verify } }),
  };
}
