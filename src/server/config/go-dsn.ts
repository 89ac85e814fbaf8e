/** A DSN of Go's MySQL driver. Its defaults are filled in; `parameters` are as given, decoded. */
export interface GoDsn {
  readonly user: string;
  readonly password: string;
  readonly address: MysqlAddress;
  readonly database: string;
  readonly parameters: ReadonlyMap<string, string>;
}

export type MysqlAddress = { readonly host: string; readonly port: number } | { readonly socketPath: string };

const DEFAULT_PORT = 3_306;
const DEFAULT_SOCKET = '/tmp/mysql.sock';

/**
 * `[user[:password]@][net[(address)]]/database[?name=value&…]`. Neither user, password nor address is escaped: the last
 * slash begins the database, the last @ before it the net, the first colon the password. Throws an Error that says
 * what is wrong and holds nothing of the DSN.
 */
export function parseGoDsn(dsn: string): GoDsn {
  const slash = dsn.lastIndexOf('/');
  if (slash === -1) throw new Error('has no slash before the name of the database');
  const [before, after] = [dsn.slice(0, slash), dsn.slice(slash + 1)];
  const at = before.lastIndexOf('@');
  const credentials = at === -1 ? '' : before.slice(0, at);
  const colon = credentials.indexOf(':');
  const question = after.indexOf('?');
  return {
    user: colon === -1 ? credentials : credentials.slice(0, colon),
    password: colon === -1 ? '' : credentials.slice(colon + 1),
    address: netAddress(before.slice(at + 1)),
    database: decoded(question === -1 ? after : after.slice(0, question)),
    parameters: parseParameters(question === -1 ? '' : after.slice(question + 1)),
  };
}

/** `name=value&…`, values escaped as in a URL. Throws an Error for one without a value, or badly escaped. */
export function parseParameters(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of text.split('&').filter((part) => part !== '')) {
    const equals = pair.indexOf('=');
    if (equals === -1) throw new Error(`has a parameter ${pair} without a value`);
    parameters.set(pair.slice(0, equals), decoded(pair.slice(equals + 1).replaceAll('+', ' ')));
  }
  return parameters;
}

/** `host`, `host:port`, `[v6]:port`, or the path of a socket. Throws an Error. */
export function parseMysqlAddress(text: string): MysqlAddress {
  if (text.startsWith('/')) return { socketPath: text };
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]*))(?::(?<port>\d{1,5}))?$/.exec(text);
  const port = Number(match?.groups?.['port'] ?? DEFAULT_PORT);
  if (!match || port < 1 || port > 65_535) throw new Error('must be host:port');
  return { host: match.groups?.['v6'] || match.groups?.['host'] || '127.0.0.1', port };
}

/** A duration as Go writes it, such as 1m30s or 500ms, in milliseconds. Throws an Error. */
export function parseGoDuration(text: string): number {
  const units: Readonly<Record<string, number>> = {
    ns: 1e-6,
    us: 1e-3,
    µs: 1e-3,
    ms: 1,
    s: 1_000,
    m: 60_000,
    h: 3_600_000,
  };
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) throw new Error(`is no duration such as 10s: ${text}`);
  let total = 0;
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * (units[unit] ?? 0);
  }
  return total;
}

function netAddress(text: string): MysqlAddress {
  const match = /^(?<net>[^(]*)(?:\((?<address>.*)\))?$/s.exec(text);
  if (!match) throw new Error('has an address that is not closed by )');
  const net = match.groups?.['net'] || 'tcp';
  const address = match.groups?.['address'] ?? '';
  switch (net) {
    case 'tcp':
    case 'tcp4':
    case 'tcp6':
      return parseMysqlAddress(address);
    case 'unix':
      return { socketPath: address || DEFAULT_SOCKET };
    default:
      throw new Error('must name its network as tcp(host:port) or unix(/path)');
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('has a wrong % escape after the last slash');
  }
}
