import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MysqlSession } from '../../src/server/store/mysql/mysql-session.js';
import { MysqlTls, type MysqlTarget } from '../../src/server/store/mysql/mysql-target.js';

const DEFAULT_URL = 'mysql://root@127.0.0.1:3306';
const TIMEOUT_MS = 600_000;

/** The MySQL or MariaDB that questions are asked on, each in a database of its own. */
export class MysqlServer {
  readonly version: string;
  /** 0 where it runs on another machine, or its pid can't be read */
  readonly pid: number;
  readonly #target: MysqlTarget;

  private constructor(target: MysqlTarget, version: string, pid: number) {
    this.#target = target;
    this.version = version;
    this.pid = pid;
  }

  /** name and version for the report */
  get product(): string {
    return `${this.version.includes('MariaDB') ? 'MariaDB' : 'MySQL'} ${/^\d+\.\d+/.exec(this.version)?.[0] ?? ''}`;
  }

  /** The one at `url`, by default on this machine as root without a password; there, undefined if none answers. */
  static async find(url: string | undefined): Promise<MysqlServer | undefined> {
    const target = targetOf(new URL(url ?? DEFAULT_URL));
    try {
      await using session = await MysqlSession.open(target, { kind: 'read', inDatabase: false });
      const [row] = await session.rows('select version() as version, @@pid_file as file', [], TIMEOUT_MS);
      return new MysqlServer(target, String(row?.['version']), readPid(String(row?.['file'])));
    } catch (error) {
      if (url !== undefined) throw error;
      return undefined;
    }
  }

  async createDatabase(): Promise<MysqlDatabase> {
    const name = `ibex_bench_${randomBytes(4).toString('hex')}`;
    await using session = await MysqlSession.open(this.#target, { kind: 'read', inDatabase: false });
    await session.query('create database ??', [name], TIMEOUT_MS);
    return new MysqlDatabase({ ...this.#target, database: name });
  }
}

/** Disposing drops it; its users must have ended. */
export class MysqlDatabase implements AsyncDisposable {
  readonly target: MysqlTarget;

  constructor(target: MysqlTarget) {
    this.target = target;
  }

  /** The section of a server.conf. */
  get config(): string {
    const { address, user, password, database } = this.target;
    const where = 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`;
    return `[DB]\nDSN = "${user}:${password}@tcp(${where})/${database}"\n`;
  }

  async run(statement: string): Promise<void> {
    await using session = await MysqlSession.open(this.target, { kind: 'read' });
    await session.query(statement, [], TIMEOUT_MS);
  }

  /** Counters of the whole server: what others do on it at the same time counts as well. */
  async counters(): Promise<ReadonlyMap<string, number>> {
    await using session = await MysqlSession.open(this.target, { kind: 'read' });
    const rows = await session.rows('show global status', [], TIMEOUT_MS);
    return new Map(rows.map((row) => [String(row['Variable_name']), Number(row['Value'])]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using session = await MysqlSession.open(this.target, { kind: 'read', inDatabase: false });
    await session.query('drop database ??', [this.target.database], TIMEOUT_MS);
  }
}

function targetOf({ hostname, port, username, password }: URL): MysqlTarget {
  return {
    address: { host: hostname, port: Number(port || 3_306) },
    user: decodeURIComponent(username || 'root'),
    password: decodeURIComponent(password),
    createDatabase: false,
    database: '',
    tls: MysqlTls.off,
    connectTimeoutMs: 2_000,
    answerTimeoutMs: TIMEOUT_MS,
    readConnections: 8,
    idleConnections: 8,
    maxAgeMs: 0,
  };
}

function readPid(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}
