import type { SecureVersion } from 'node:tls';
import type { Config } from '../../shared/config/schema.js';
import { UserError } from '../../shared/errors.js';
import type { RedisConfig } from '../peers/redis-notifier.js';
import type { SERVER_SCHEMA } from './schema.js';

const DEFAULT_PORT = 6_379;
const TLS_VERSIONS: Readonly<Record<string, SecureVersion>> = {
  '1.0': 'TLSv1',
  '1.1': 'TLSv1.1',
  '1.2': 'TLSv1.2',
  '1.3': 'TLSv1.3',
};

/** The [Redis] section; undefined where no address is named. Throws UserError naming file and key. */
export function redisConfig({ Redis }: Config<typeof SERVER_SCHEMA>, file: string): RedisConfig | undefined {
  if (Redis.Address === '') return undefined;
  if (Redis.RedisType === 'sentinel' && Redis.MasterName === '') {
    throw new UserError(`${file}: Redis.RedisType = "sentinel" needs Redis.MasterName`);
  }
  return {
    type: Redis.RedisType,
    addresses: Redis.Address.split(',').map((text) => address(text.trim(), file)),
    username: Redis.Username,
    password: Redis.Password,
    db: Redis.DB,
    tls: Redis.UseTLS ? { minVersion: tlsVersion(Redis.TLSMinVersion, file) } : undefined,
    masterName: Redis.MasterName,
    sentinelUsername: Redis.SentinelUsername,
    sentinelPassword: Redis.SentinelPassword,
  };
}

function address(text: string, file: string): RedisConfig['addresses'][number] {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const host = match?.groups?.['v6'] ?? match?.groups?.['host'];
  const port = Number(match?.groups?.['port'] ?? DEFAULT_PORT);
  if (host === undefined || port > 65_535) {
    throw new UserError(`${file}: Redis.Address must be host:port (several separated by commas), not "${text}"`);
  }
  return { host, port };
}

function tlsVersion(text: string, file: string): SecureVersion | undefined {
  if (text === '') return undefined;
  const version = TLS_VERSIONS[text.replace(/^TLSv?/i, '')];
  if (!version) throw new UserError(`${file}: Redis.TLSMinVersion must be 1.0, 1.1, 1.2 or 1.3, not "${text}"`);
  return version;
}
