import { isIP } from 'node:net';
import { readConfig, type Config, type Key } from '../shared/config/schema.js';
import { boolean, filePath, oneOf, string, strings, unused, integer } from '../shared/config/keys.js';
import { readTomlFile } from '../shared/config/toml-file.js';
import { DEFAULT_KILL_GRACE_MS } from '../shared/protocol/limits.js';
import { UserError } from '../shared/errors.js';
import { didYouMean } from '../shared/nearest-name.js';
import { MAX_HOST_LENGTH } from '../shared/protocol/limits.js';

const NO_AGENT_HTTP = 'the agent has no HTTP port; the server asks for output over the session';
/** the server's default */
const RPC_PORT = 20_090;
/** values of Host that stand for something else; the default first */
const HOST_WORDS = ['$hostname', '$ip'] as const;

const SCHEMA = {
  '': {
    RunMode: oneOf('release', ['debug', 'release']),
    MetaDir: filePath('./meta'),
  },
  HTTP: {
    Enable: unused(boolean(true), NO_AGENT_HTTP),
    Host: unused(string('0.0.0.0'), NO_AGENT_HTTP),
    Port: unused(integer(2090, 0, 65_535), NO_AGENT_HTTP),
    CertFile: unused(string(''), NO_AGENT_HTTP),
    KeyFile: unused(string(''), NO_AGENT_HTTP),
    PrintAccessLog: unused(boolean(true), NO_AGENT_HTTP),
    PProf: unused(boolean(false), NO_AGENT_HTTP),
    ShutdownTimeout: unused(integer(30, 0, 86_400), NO_AGENT_HTTP),
    MaxContentLength: unused(integer(67_108_864, 0, Number.MAX_SAFE_INTEGER), NO_AGENT_HTTP),
    ReadTimeout: unused(integer(20, 0, 86_400), NO_AGENT_HTTP),
    WriteTimeout: unused(integer(40, 0, 86_400), NO_AGENT_HTTP),
    IdleTimeout: unused(integer(120, 0, 86_400), NO_AGENT_HTTP),
  },
  Heartbeat: {
    Interval: integer(1_000, 50, 3_600_000),
    Servers: strings(['127.0.0.1:20090']),
    Host: hostName(),
  },
  Policy: {
    MaxRuns: integer(256, 1, 100_000),
    KillGrace: integer(DEFAULT_KILL_GRACE_MS, 0, 600_000),
    IgnoreAccount: boolean(false),
    Terminal: boolean(true),
  },
} as const;

export type AgentConfig = Config<typeof SCHEMA>;

/** Reads agentd.conf. Throws UserError naming file and key; the warnings are for the log. */
export function readAgentConfig(path: string): { readonly config: AgentConfig; readonly warnings: readonly string[] } {
  const read = readConfig(SCHEMA, readTomlFile(path), path);
  if (read.config.Heartbeat.Servers.length === 0) throw new UserError(`${path}: Heartbeat.Servers names no server`);
  for (const server of read.config.Heartbeat.Servers) serverUrl(server, path);
  return read;
}

/** The WebSocket address of an entry of Servers: `host:port`, or a ws://, wss://, http:// or https:// address. */
export function serverUrl(server: string, file: string): URL {
  const wrong = (why: string): UserError => new UserError(`${file}: Heartbeat.Servers: "${server}" ${why}`);
  const hasScheme = /^[a-z]+:\/\//.test(server);
  // Without a port the dial would go to that of HTTP.
  if (!hasScheme && (isIP(server) === 6 || !/:\d+$/.test(server))) {
    const host = isIP(server) === 6 ? `[${server}]` : server;
    throw wrong(`has no port; it must be host:port as in the server's [RPC] Listen, such as "${host}:${RPC_PORT}"`);
  }
  const address = hasScheme ? server.replace(/^http/, 'ws') : `ws://${server}`;
  if (!URL.canParse(address)) throw wrong('is no address host:port');
  const url = new URL(address);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw wrong('must be host:port or begin with ws:// or wss://');
  if (url.port === '0') throw wrong('has port 0; a port is a number from 1 to 65535');
  return url;
}

/** `$hostname`, `$ip`, or a name that the API can call the machine by. */
function hostName(): Key<string> {
  return {
    fallback: HOST_WORDS[0],
    read: (value) => {
      if (typeof value !== 'string') throw new Error('must be a text in quotes');
      if (value.startsWith('$') && !HOST_WORDS.some((word) => word === value)) {
        throw new Error(`must be "$hostname", "$ip" or a name without a $${didYouMean(value, HOST_WORDS)}`);
      }
      // The API takes away blanks around a name, and lines that begin with #.
      if (value === '' || value !== value.trim() || /^#|\p{Cc}/u.test(value) || value.length > MAX_HOST_LENGTH) {
        throw new Error(
          `must be a name of 1 to ${MAX_HOST_LENGTH} characters, without # before it, blanks around it and line ends in it`,
        );
      }
      return value;
    },
  };
}
