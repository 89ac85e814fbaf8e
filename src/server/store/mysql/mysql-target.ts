export const MysqlTls = Object.freeze({
  off: 'off',
  /** encrypted, and the server's certificate must be good for its name */
  verify: 'verify',
  /** encrypted, whoever the server is */
  skipVerify: 'skip-verify',
} as const);
export type MysqlTls = (typeof MysqlTls)[keyof typeof MysqlTls];

/** Which database on which server, and how it may be used. */
export interface MysqlTarget {
  readonly address: { readonly host: string; readonly port: number } | { readonly socketPath: string };
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** where there is no such database, it is made */
  readonly createDatabase: boolean;
  readonly tls: MysqlTls;
  readonly connectTimeoutMs: number;
  /** how long an answer is waited for; one packet of a transaction, or one query */
  readonly answerTimeoutMs: number;
  /** connections for reading at most; one more writes */
  readonly readConnections: number;
  /** of those, so many stay open unused */
  readonly idleConnections: number;
  /** a connection older than this is replaced before its next use; 0: never */
  readonly maxAgeMs: number;
}

/** For logs and messages: user, address and database, never the password. */
export function describeTarget(target: MysqlTarget): string {
  return `${target.user}@${describeAddress(target)}/${target.database}`;
}

export function describeAddress({ address }: MysqlTarget): string {
  if ('socketPath' in address) return address.socketPath;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
