import { isIP } from 'node:net';
import { boolean, filePath, oneOf, string, strings, unused, integer } from '../../shared/config/keys.js';
import { ANY_KEYS, type Key } from '../../shared/config/schema.js';

const OWN_TIMES = 'the times of HTTP connections are fixed';
const ROTATE = 'the log file is only appended to; rotate it with logrotate (copytruncate)';
const BY_SESSION = 'the output of a running script is asked of its agent over the session';
const DAY_SECONDS = 86_400;
/** a shorter one burdens a database; as a rule it was meant as seconds */
const SHORTEST_INTERVAL_MS = 100;

const NO_POSTGRES = 'the data is in SQLite, MySQL or MariaDB';

/** A database of this name is made where there is none. */
export const DEFAULT_DATABASE = 'ibex';
/** true: so is one of any other name; a misspelt name would make an empty one that serves */
const CREATE = { Create: boolean(false) } as const;

/** [Gorm], and in later versions of the Go ibex [DB]. */
const DATABASE_RULES = {
  Debug: unused(boolean(false), 'statements are never logged'),
  DBType: oneOf('mysql', ['mysql', 'postgres']),
  /** seconds; 0: for ever */
  MaxLifetime: integer(7_200, 0, 1_000_000_000),
  /** connections; 0: no limit */
  MaxOpenConns: integer(150, 0, 100_000),
  MaxIdleConns: integer(50, 0, 100_000),
  TablePrefix: string(''),
} as const;

/** server.conf: every key of the Go ibex, and those of our own ([SQLite], [Agents], [Task]). */
export const SERVER_SCHEMA = {
  '': {
    RunMode: unused(oneOf('release', ['debug', 'release']), '[Log] Level decides how much is logged'),
  },
  Log: {
    Dir: string('logs-server'),
    Level: level(),
    Output: oneOf('stdout', ['stdout', 'stderr', 'file']),
    KeepHours: unused(integer(4, 0, 1_000_000), ROTATE),
    RotateNum: unused(integer(3, 0, 1_000_000), ROTATE),
    RotateSize: unused(integer(256, 0, 1_000_000), ROTATE),
  },
  HTTP: {
    Enable: boolean(true),
    Host: string('0.0.0.0'),
    Port: integer(10_090, 0, 65_535),
    CertFile: string(''),
    KeyFile: string(''),
    PrintAccessLog: boolean(true),
    PProf: unused(boolean(false), 'there is no profiling over HTTP'),
    ShutdownTimeout: unused(integer(30, 0, DAY_SECONDS), 'the server ends within two seconds'),
    MaxContentLength: integer(67_108_864, 1_024, 1_073_741_824),
    /** networks of proxies whose X-Forwarded-For is believed */
    TrustedProxies: strings([]),
    ReadTimeout: unused(integer(20, 0, DAY_SECONDS), OWN_TIMES),
    WriteTimeout: unused(integer(40, 0, DAY_SECONDS), OWN_TIMES),
    IdleTimeout: unused(integer(120, 0, DAY_SECONDS), OWN_TIMES),
  },
  BasicAuth: {
    [ANY_KEYS]: string(''),
  },
  RPC: {
    Listen: string('0.0.0.0:20090'),
    /** networks of proxies between agents and this port whose X-Forwarded-For is believed */
    TrustedProxies: strings([]),
    /** agents of Categraf and of the Go ibex, which show no key, are served on loopback and private addresses */
    Legacy: boolean(true),
    /** further networks that legacy agents may come from */
    LegacyAllow: strings([]),
    /** a port of their own besides; empty: none */
    LegacyListen: string(''),
  },
  Heartbeat: {
    IP: ipAddress(),
    /** milliseconds between two looks at what other servers have written; each of them says that this one lives */
    Interval: integer(1_000, SHORTEST_INTERVAL_MS, 3_600_000),
  },
  Output: {
    ComeFrom: unused(oneOf('database', ['database', 'remote']), BY_SESSION),
    AgtdPort: unused(integer(2_090, 0, 65_535), BY_SESSION),
  },
  Redis: {
    Address: string(''),
    Username: string(''),
    Password: password(),
    DB: integer(0, 0, 1_000_000),
    UseTLS: boolean(false),
    TLSMinVersion: string(''),
    RedisType: oneOf('standalone', ['standalone', 'cluster', 'sentinel']),
    MasterName: string(''),
    SentinelUsername: string(''),
    SentinelPassword: password(),
  },
  SQLite: {
    Path: filePath('data/ibex.db'),
  },
  Gorm: DATABASE_RULES,
  MySQL: {
    Address: string('127.0.0.1:3306'),
    User: string('root'),
    Password: password(),
    DBName: string(DEFAULT_DATABASE),
    Parameters: string(''),
    ...CREATE,
  },
  Postgres: {
    Address: unused(string(''), NO_POSTGRES),
    User: unused(string(''), NO_POSTGRES),
    Password: unused(password(), NO_POSTGRES),
    DBName: unused(string(''), NO_POSTGRES),
    SSLMode: unused(string(''), NO_POSTGRES),
  },
  DB: {
    DSN: string(''),
    ...CREATE,
    ...DATABASE_RULES,
  },
  Agents: {
    Admission: oneOf('pin', ['pin']),
  },
  Task: {
    /** first id of an empty database; 0: the database's own default */
    FirstId: integer(0, 0, 2 ** 52),
    /** finished tasks are deleted after so many days; 0: never */
    KeepDays: unused(integer(0, 0, 36_500), 'this version keeps finished tasks for ever'),
    /** milliseconds in which an identical alarm is taken for the same one; 0: off */
    DuplicateWindow: integer(1_000, 0, 600_000),
    /** seconds in which a host's run may start; 0: as long as its timeout */
    StartWithin: integer(0, 0, 5 * DAY_SECONDS),
    /** false: tasks are scheduled by whoever else uses the database; this server stores them and reaches the agents */
    Schedule: boolean(true),
  },
} as const;

function level(): Key<'debug' | 'info' | 'warn' | 'error'> {
  const levels = { debug: 'debug', info: 'info', warning: 'warn', warn: 'warn', error: 'error' } as const;
  return {
    fallback: 'info',
    read: (value) => {
      const found = Object.entries(levels).find(([name]) => typeof value === 'string' && name === value.toLowerCase());
      if (!found) throw new Error('must be one of "DEBUG", "INFO", "WARNING", "ERROR"');
      return found[1];
    },
  };
}

function ipAddress(): Key<string> {
  return {
    fallback: '',
    read: (value) => {
      if (typeof value === 'string' && (value === '' || isIP(value) !== 0)) return value;
      throw new Error('must be the IP address of this machine, or empty');
    },
  };
}

/** A number without quotes is taken too: a message about it would tell it. */
function password(): Key<string> {
  return {
    fallback: '',
    read: (value) => {
      if (typeof value === 'string') return value;
      if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
      throw new Error('must be a text in quotes');
    },
  };
}
