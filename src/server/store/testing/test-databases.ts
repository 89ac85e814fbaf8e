import { after } from 'node:test';
import type { Log } from '../../../shared/log.js';
import { MysqlSession } from '../mysql/mysql-session.js';
import { MysqlTls, type MysqlTarget } from '../mysql/mysql-target.js';
import { MariadbProcess } from './mariadb-process.js';
import { dropOwn, MysqlPlace, newName } from './mysql-place.js';
import { SqlitePlace, type StorePlace } from './store-place.js';

/** One kind of database that the tests of the store run over. */
export interface TestDatabase {
  readonly name: string;
  /** why it can't be tested here; false where it can */
  readonly skip: string | false;
  /** An empty one. */
  place(): StorePlace;
}

/** The MySQL server of this test run; `missing` says how to get one. */
export type TestMysql = { readonly server: MysqlTarget } | { readonly missing: string };

const MISSING = 'no MySQL or MariaDB here; get one with: apt-get install -y mariadb-server';

/**
 * IBEX_TEST_MYSQL (mysql://user:password@host:port), else what answers on 127.0.0.1:3306 as root without a password, else
 * a MariaDB of our own where its programs are installed. With CI=true it is an error if there is none of these.
 */
export const testMysql: TestMysql = await findMysql();

const spare: string[] = [];

export const testDatabases: readonly TestDatabase[] = [
  { name: 'SQLite', skip: false, place: () => new SqlitePlace() },
  {
    name: 'MySQL',
    skip: 'missing' in testMysql && testMysql.missing,
    place: mysqlPlace,
  },
];

export function mysqlPlace(): MysqlPlace {
  return MysqlPlace.take(mysqlServer(), spare);
}

/** A database with a new name, existing but empty, that is not used again. */
export async function freshPlace(log?: Log, server = mysqlServer()): Promise<MysqlPlace> {
  const place = MysqlPlace.take(server, [newName()], log);
  await using session = await MysqlSession.open(server, { kind: 'migrate', inDatabase: false });
  await session.query('create database ?? default character set utf8mb4', [place.target.database], 10_000);
  return place;
}

export function mysqlServer(): MysqlTarget {
  if ('missing' in testMysql) throw new Error(testMysql.missing);
  return testMysql.server;
}

async function findMysql(): Promise<TestMysql> {
  const url = process.env['IBEX_TEST_MYSQL'];
  const server = url === undefined || url === '' ? mysqlAt('127.0.0.1', 3_306) : mysqlAtUrl(new URL(url));
  if (await answers(server)) {
    after(() => dropOwn(server));
    return { server };
  }
  if (url !== undefined && url !== '') throw new Error('IBEX_TEST_MYSQL is set, and no database answers there');
  if (MariadbProcess.installed()) {
    const own = await MariadbProcess.start();
    after(() => own[Symbol.asyncDispose]());
    return { server: mysqlAt('127.0.0.1', own.port) };
  }
  if (process.env['CI'] === 'true') throw new Error(MISSING);
  return { missing: MISSING };
}

export function mysqlAt(host: string, port: number, user = 'root', password = ''): MysqlTarget {
  return {
    address: { host, port },
    user,
    password,
    database: 'none',
    createDatabase: true,
    tls: MysqlTls.off,
    connectTimeoutMs: 2_000,
    answerTimeoutMs: 10_000,
    readConnections: 4,
    idleConnections: 4,
    maxAgeMs: 0,
  };
}

function mysqlAtUrl({ hostname, port, username, password }: URL): MysqlTarget {
  return mysqlAt(hostname, Number(port || 3_306), decodeURIComponent(username || 'root'), decodeURIComponent(password));
}

async function answers(server: MysqlTarget): Promise<boolean> {
  try {
    const session = await MysqlSession.open(server, { kind: 'migrate', inDatabase: false });
    await session[Symbol.asyncDispose]();
    return true;
  } catch {
    return false;
  }
}
