import { readConfig, type Config } from '../shared/config/schema.js';
import { flag, oneOf, text, texts, unused, whole } from '../shared/config/keys.js';
import { readTomlFile } from '../shared/config/toml-file.js';
import { UserError } from '../shared/errors.js';

const NO_AGENT_HTTP = 'the agent has no HTTP port; the server asks for output over the session';

const SCHEMA = {
  '': {
    RunMode: oneOf('release', ['debug', 'release']),
    MetaDir: text('./meta'),
  },
  HTTP: {
    Enable: unused(flag(true), NO_AGENT_HTTP),
    Host: unused(text('0.0.0.0'), NO_AGENT_HTTP),
    Port: unused(whole(2090, 0, 65_535), NO_AGENT_HTTP),
    CertFile: unused(text(''), NO_AGENT_HTTP),
    KeyFile: unused(text(''), NO_AGENT_HTTP),
    PrintAccessLog: unused(flag(true), NO_AGENT_HTTP),
    PProf: unused(flag(false), NO_AGENT_HTTP),
    ShutdownTimeout: unused(whole(30, 0, 86_400), NO_AGENT_HTTP),
    MaxContentLength: unused(whole(67_108_864, 0, Number.MAX_SAFE_INTEGER), NO_AGENT_HTTP),
    ReadTimeout: unused(whole(20, 0, 86_400), NO_AGENT_HTTP),
    WriteTimeout: unused(whole(40, 0, 86_400), NO_AGENT_HTTP),
    IdleTimeout: unused(whole(120, 0, 86_400), NO_AGENT_HTTP),
  },
  Heartbeat: {
    Interval: whole(1_000, 50, 3_600_000),
    Servers: texts(['127.0.0.1:20090']),
    Host: text('$hostname'),
  },
  Policy: {
    MaxRuns: whole(256, 1, 100_000),
    KillGrace: whole(5_000, 0, 600_000),
    IgnoreAccount: flag(false),
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
  const withScheme = /^[a-z]+:\/\//.test(server) ? server.replace(/^http/, 'ws') : `ws://${server}`;
  if (!URL.canParse(withScheme)) throw new UserError(`${file}: Heartbeat.Servers: "${server}" is no address host:port`);
  const url = new URL(withScheme);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new UserError(`${file}: Heartbeat.Servers: "${server}" must be host:port or begin with ws:// or wss://`);
  }
  return url;
}
