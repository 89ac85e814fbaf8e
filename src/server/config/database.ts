import type { Config } from '../../shared/config/schema.js';
import type { TomlTable } from '../../shared/config/toml-file.js';
import { describeError, UserError } from '../../shared/errors.js';
import type { DatabaseConfig } from '../store/open-store.js';
import { MysqlTls, type MysqlTarget } from '../store/mysql/mysql-target.js';
import { parseGoDsn, parseGoDuration, parseMysqlAddress, parseParameters, type GoDsn } from './go-dsn.js';
import { DEFAULT_DATABASE, type SERVER_SCHEMA } from './schema.js';

/** Reading needs few connections: each answers thousands of queries a second. */
const READ_CONNECTIONS_MOST = 10;
const CONNECT_TIMEOUT_MS = 3_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** Parameters of the Go driver for behaviour that is always so here. */
const ALWAYS_SO: ReadonlySet<string> = new Set([
  'allowNativePasswords',
  'charset',
  'clientFoundRows',
  'collation',
  'columnsWithAlias',
  'checkConnLiveness',
  'interpolateParams',
  'loc',
  'maxAllowedPacket',
  'multiStatements',
  'parseTime',
  'rejectReadOnly',
  'writeTimeout',
]);

/**
 * Which database: MySQL where there is a [MySQL] section or a DB.DSN, else SQLite. Throws UserError naming file and key,
 * never a password.
 */
export function databaseConfig(
  config: Config<typeof SERVER_SCHEMA>,
  table: TomlTable,
  file: string,
  warnings: string[],
): DatabaseConfig {
  const { DB, MySQL, Gorm } = config;
  const byDsn = DB.DSN !== '';
  const bySection = Object.hasOwn(table, 'MySQL');
  const [section, rules] = Object.hasOwn(table, 'DB') ? (['DB', DB] as const) : (['Gorm', Gorm] as const);
  if (rules.DBType === 'postgres') {
    throw new UserError(
      `${file}: ${section}.DBType = "postgres": this ibex keeps its data in SQLite, MySQL or MariaDB; ` +
        'PostgreSQL is not supported',
    );
  }
  if (byDsn && bySection) {
    throw new UserError(`${file}: both DB.DSN and [MySQL] name a database; keep one of them`);
  }
  if (!byDsn && !bySection) return { kind: 'sqlite', path: config.SQLite.Path };
  if (rules.TablePrefix !== '') {
    throw new UserError(
      `${file}: ${section}.TablePrefix is not supported: the tables of ibex have fixed names; remove it`,
    );
  }
  const key = byDsn ? 'DB.DSN' : 'MySQL.Parameters';
  const dsn = byDsn ? readDsn(DB.DSN, file) : fromSection(MySQL, file);
  if (dsn.database === '') throw new UserError(`${file}: ${byDsn ? 'DB.DSN' : 'MySQL.DBName'} names no database`);
  const readConnections = Math.min(READ_CONNECTIONS_MOST, Math.max(1, (rules.MaxOpenConns || 1_000) - 1));
  return {
    kind: 'mysql',
    target: {
      address: dsn.address,
      user: dsn.user,
      password: dsn.password,
      database: dsn.database,
      createDatabase: (byDsn ? DB : MySQL).Create || dsn.database === DEFAULT_DATABASE,
      ...connecting(dsn.parameters, `${file}: ${key}`, warnings),
      readConnections,
      idleConnections: Math.min(readConnections, rules.MaxIdleConns),
      maxAgeMs: rules.MaxLifetime * 1_000,
    },
  };
}

function readDsn(dsn: string, file: string): GoDsn {
  try {
    return parseGoDsn(dsn);
  } catch (error) {
    throw new UserError(`${file}: DB.DSN ${describeError(error)}; it must be user:password@tcp(host:port)/database`);
  }
}

function fromSection(section: Config<typeof SERVER_SCHEMA>['MySQL'], file: string): GoDsn {
  return {
    user: section.User,
    password: section.Password,
    address: named(`${file}: MySQL.Address`, () => parseMysqlAddress(section.Address)),
    database: section.DBName,
    parameters: named(`${file}: MySQL.Parameters`, () => parseParameters(section.Parameters)),
  };
}

function connecting(
  parameters: GoDsn['parameters'],
  where: string,
  warnings: string[],
): Pick<MysqlTarget, 'tls' | 'connectTimeoutMs' | 'answerTimeoutMs'> {
  let tls: MysqlTls = MysqlTls.off;
  let connectTimeoutMs = 0;
  let answerTimeoutMs = 0;
  for (const [name, value] of parameters) {
    if (name === 'tls') tls = tlsOf(value, where, warnings);
    else if (name === 'timeout') connectTimeoutMs = named(`${where}: timeout`, () => parseGoDuration(value));
    else if (name === 'readTimeout') answerTimeoutMs = named(`${where}: readTimeout`, () => parseGoDuration(value));
    else if (!ALWAYS_SO.has(name)) warnings.push(`${where}: ${name} has no meaning here`);
  }
  return {
    tls,
    connectTimeoutMs: connectTimeoutMs || CONNECT_TIMEOUT_MS,
    answerTimeoutMs: answerTimeoutMs || ANSWER_TIMEOUT_MS,
  };
}

function tlsOf(value: string, where: string, warnings: string[]): MysqlTls {
  switch (value.toLowerCase()) {
    case 'false':
    case '0':
      return MysqlTls.off;
    case 'true':
    case '1':
      return MysqlTls.verify;
    case 'skip-verify':
      return MysqlTls.skipVerify;
    case 'preferred':
      warnings.push(`${where}: tls=preferred is taken as false; set true or skip-verify to encrypt the connection`);
      return MysqlTls.off;
    default:
      throw new UserError(`${where}: tls must be true, false or skip-verify, not ${JSON.stringify(value)}`);
  }
}

/** Throws a UserError that says in front of an Error what it is about. */
export function named<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UserError(`${what} ${describeError(error)}`);
  }
}
