import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { readConfig, type Config } from '../../shared/config/schema.js';
import { readTomlFile } from '../../shared/config/toml-file.js';
import { UserError } from '../../shared/errors.js';
import type { LogLevel } from '../../shared/log.js';
import { AllowedAddresses } from '../net/networks.js';
import { ClientAddress } from '../net/client-address.js';
import type { DatabaseConfig } from '../store/open-store.js';
import { databaseConfig, named } from './database.js';
import { redisConfig } from './redis.js';
import { SERVER_SCHEMA } from './schema.js';
import type { RedisConfig } from '../peers/redis-notifier.js';
import type { Address } from '../net/uws.js';

export interface ServerConfig {
  readonly log: { readonly level: LogLevel; readonly destination: 1 | 2 | string };
  readonly http: HttpConfig | undefined;
  /** where agents connect */
  readonly rpc: Address;
  /** tells where agents come from */
  readonly agentAddress: ClientAddress;
  /** undefined: agents without a key are not served */
  readonly legacy: LegacyConfig | undefined;
  /** address at which other machines reach this one */
  readonly ip: string;
  /** name of this server in the tables, the same after every restart: IP:port of [RPC] */
  readonly schedulerName: string;
  /** how often it looks at what other servers have written, ms */
  readonly reconcileIntervalMs: number;
  readonly database: DatabaseConfig;
  /** where servers tell each other of changes at once; undefined: nowhere */
  readonly redis: RedisConfig | undefined;
  readonly task: Config<typeof SERVER_SCHEMA>['Task'];
}

export interface LegacyConfig {
  readonly allowed: AllowedAddresses;
  /** a port of their own */
  readonly listen: Address | undefined;
}

export interface HttpConfig extends Address {
  /** password by user */
  readonly users: Readonly<Record<string, string>>;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly accessLog: boolean;
  readonly maxBodyBytes: number;
  /** tells where callers come from */
  readonly client: ClientAddress;
}

/** Often enough for the others to see that this server lives. */
const LONGEST_INTERVAL_MS = 3_000;
const DEFAULT_USER = 'ibex';
const DEFAULT_PASSWORD = 'ibex';

/** Reads server.conf. Throws UserError naming file and key; the warnings are for the log. */
export function readServerConfig(file: string): {
  readonly config: ServerConfig;
  readonly warnings: readonly string[];
} {
  const table = readTomlFile(file);
  const { config, warnings: unused } = readConfig(SERVER_SCHEMA, table, file);
  const warnings = [...unused];
  const rpc = parseAddress('RPC.Listen', config.RPC.Listen, file);
  const database = databaseConfig(config, table, file, warnings);
  if (!config.Task.Schedule && database.kind === 'sqlite') {
    throw new UserError(`${file}: Task.Schedule = false is for a database that others share; SQLite is not`);
  }
  if (database.kind === 'sqlite' && config.Redis.Address !== '') {
    warnings.push('Redis.Address has no effect: a SQLite database has one server, which has nobody to tell');
  }
  if (config.Heartbeat.Interval > LONGEST_INTERVAL_MS) {
    warnings.push(`${file}: Heartbeat.Interval is taken as ${LONGEST_INTERVAL_MS} milliseconds, the most that counts`);
  }
  const ip = config.Heartbeat.IP || firstAddress();
  const http = config.HTTP.Enable ? httpConfig(config, file) : undefined;
  const passwords = http && passwordWarning(http, Object.keys(config.BasicAuth['*']).length > 0, file);
  if (passwords !== undefined) warnings.push(passwords);
  return {
    warnings,
    config: {
      log: { level: config.Log.Level, destination: logDestination(config.Log.Output, config.Log.Dir) },
      http,
      rpc,
      agentAddress: named(`${file}: RPC.TrustedProxies:`, () => new ClientAddress(config.RPC.TrustedProxies)),
      legacy: config.RPC.Legacy ? legacyConfig(config, file) : undefined,
      ip,
      schedulerName: `${ip}:${rpc.port}`,
      reconcileIntervalMs: Math.min(LONGEST_INTERVAL_MS, config.Heartbeat.Interval),
      database,
      redis: database.kind === 'sqlite' ? undefined : redisConfig(config, file),
      task: config.Task,
    },
  };
}

/** What a log says at every start while everyone knows the password; undefined where it is another one. */
function passwordWarning({ users }: HttpConfig, given: boolean, file: string): string | undefined {
  if (users[DEFAULT_USER] !== DEFAULT_PASSWORD) return undefined;
  const why = given ? '[BasicAuth] has the default password' : 'there is no [BasicAuth]';
  return (
    `${file}: ${why}: user ${DEFAULT_USER} with password ${DEFAULT_PASSWORD} is let in, ` +
    'and who is let in can run any command on every host; set a password of your own'
  );
}

function httpConfig({ HTTP, BasicAuth }: Config<typeof SERVER_SCHEMA>, file: string): HttpConfig {
  if ((HTTP.CertFile === '') !== (HTTP.KeyFile === '')) {
    throw new UserError(`${file}: HTTP.CertFile and HTTP.KeyFile belong together; only one of them is set`);
  }
  const users = BasicAuth['*'];
  for (const [user, password] of Object.entries(users)) {
    if (password === '') throw new UserError(`${file}: BasicAuth.${user} has an empty password`);
    if (user.includes(':'))
      throw new UserError(`${file}: BasicAuth: a user name cannot hold a colon, as "${user}" does`);
  }
  return {
    host: HTTP.Host || '0.0.0.0',
    port: HTTP.Port,
    users: Object.keys(users).length === 0 ? { [DEFAULT_USER]: DEFAULT_PASSWORD } : users,
    tls: HTTP.CertFile === '' ? undefined : { certFile: HTTP.CertFile, keyFile: HTTP.KeyFile },
    accessLog: HTTP.PrintAccessLog,
    maxBodyBytes: HTTP.MaxContentLength,
    client: named(`${file}: HTTP.TrustedProxies:`, () => new ClientAddress(HTTP.TrustedProxies)),
  };
}

function legacyConfig({ RPC }: Config<typeof SERVER_SCHEMA>, file: string): LegacyConfig {
  const listen = RPC.LegacyListen === '' ? undefined : parseAddress('RPC.LegacyListen', RPC.LegacyListen, file);
  return { allowed: named(`${file}: RPC.LegacyAllow:`, () => new AllowedAddresses(RPC.LegacyAllow)), listen };
}

function logDestination(output: 'stdout' | 'stderr' | 'file', folder: string): 1 | 2 | string {
  switch (output) {
    case 'stdout':
      return 1;
    case 'stderr':
      return 2;
    case 'file':
      return join(folder, 'ibex-server.log');
    default:
      return output satisfies never;
  }
}

/** `host:port`, `:port` (all addresses) or `[v6]:port`. */
function parseAddress(key: string, text: string, file: string): Address {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  if (!match || port > 65_535) throw new UserError(`${file}: ${key} must be host:port, not "${text}"`);
  return { host: match.groups?.['v6'] || match.groups?.['host'] || '0.0.0.0', port };
}

function firstAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
