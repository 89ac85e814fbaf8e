import { randomBytes } from 'node:crypto';
import type { Log } from '../../../shared/log.js';
import { MysqlSession, type SqlRow } from '../mysql/mysql-session.js';
import type { MysqlTarget } from '../mysql/mysql-target.js';
import { openMysqlStore } from '../mysql/open-mysql-store.js';
import type { Store } from '../store.js';
import { silentLog, type StorePlace } from './store-place.js';

const TIMEOUT_MS = 60_000;
/** Such databases are this test run's own. */
const PREFIX = `ibex_test_${process.pid}_`;

/** A database of a test's own on a MySQL server. Emptied ones are used again, for making the tables takes a while. */
export class MysqlPlace implements StorePlace {
  readonly target: MysqlTarget;
  readonly #log: Log;
  readonly #spare: string[];

  private constructor(target: MysqlTarget, log: Log, spare: string[]) {
    this.target = target;
    this.#log = log;
    this.#spare = spare;
  }

  /** `spare`: names of emptied databases; this place's own goes there in the end. */
  static take(server: MysqlTarget, spare: string[], log: Log = silentLog): MysqlPlace {
    return new MysqlPlace({ ...server, database: spare.pop() ?? newName() }, log, spare);
  }

  open(firstId?: number): Promise<Store> {
    return openMysqlStore({ target: this.target, log: this.#log, firstId, reachMs: 0 });
  }

  async run(...statements: readonly string[]): Promise<readonly SqlRow[]> {
    await using session = await MysqlSession.open(this.target, { kind: 'migrate' });
    let rows: readonly SqlRow[] = [];
    for (const statement of statements) rows = await session.rows(statement, [], TIMEOUT_MS);
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const tables = await this.run('show tables');
    const names = tables
      .flatMap((row) => Object.values(row))
      .filter((name) => !String(name).startsWith('ibex_migration'));
    await this.run(
      ...names.map((name) => `delete from \`${String(name)}\``),
      'alter table task_meta auto_increment = 1',
    );
    this.#spare.push(this.target.database);
  }
}

export function newName(): string {
  return `${PREFIX}${randomBytes(4).toString('hex')}`;
}

/** Drops every database that this process has made. */
export async function dropOwn(server: MysqlTarget): Promise<void> {
  await using session = await MysqlSession.open(server, { kind: 'migrate', inDatabase: false });
  const rows = await session.rows('show databases', [], TIMEOUT_MS);
  for (const name of rows.flatMap((row) => Object.values(row)).map(String)) {
    if (name.startsWith(PREFIX)) await session.query('drop database ??', [name], TIMEOUT_MS);
  }
}
