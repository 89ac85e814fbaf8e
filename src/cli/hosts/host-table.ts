import { UserError } from '../../shared/errors.js';

/** A host as the table shows it. */
export interface ListedHost {
  readonly host: string;
  readonly connected: boolean;
  /** of the session, or of the last time the host was seen; undefined where the server does not say */
  readonly sinceMs: number | undefined;
  readonly version: string;
  readonly kind: string;
  /** scripts that its agent has in hand */
  readonly running: number;
  /** names of the servers it is connected to */
  readonly servers: readonly string[];
  /** what is wrong with other agents that come under this name */
  readonly refused: string | undefined;
}

/** Reads `dat` of GET /ibex/v1/hosts, sorted by name; fields that a later server adds are ignored. Throws UserError for anything else. */
export function parseHosts(dat: unknown): ListedHost[] {
  if (!Array.isArray(dat)) throw new UserError('the server did not answer with a list of hosts');
  return dat.map(parseHost).sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** Columns with a heading line; ends with a newline. */
export function hostTable(hosts: readonly ListedHost[], nowMs: number): string {
  if (hosts.length === 0) return 'no agent has connected yet\n';
  const rows = [
    ['HOST', 'AGENT', 'SINCE', 'VERSION', 'KIND', 'RUNNING', 'SERVERS'],
    ...hosts.map(({ host, connected, sinceMs, version, kind, running, servers }) => [
      host,
      connected ? 'connected' : 'gone',
      sinceMs === undefined ? '-' : age(nowMs - sinceMs),
      version || '-',
      kind || '-',
      connected ? String(running) : '-',
      servers.join(' ') || '-',
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  const refusals = hosts.flatMap(({ host, refused }) => (refused === undefined ? [] : [`${host}: ${refused}\n`]));
  return `${lines(rows, widths)}${refusals.join('')}`;
}

function lines(rows: readonly (readonly string[])[], widths: readonly number[]): string {
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** `42s`, `5m`, `3h`, `12d` */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

function parseHost(value: unknown): ListedHost {
  if (typeof value !== 'object' || value === null || !('host' in value) || typeof value.host !== 'string') {
    throw new UserError('the server listed a host without a name');
  }
  return {
    host: value.host,
    connected: 'connected' in value && value.connected === true,
    sinceMs: 'since' in value ? time(value.since) : undefined,
    version: 'version' in value ? text(value.version) : '',
    kind: 'kind' in value ? text(value.kind) : '',
    running: 'running' in value && Array.isArray(value.running) ? value.running.length : 0,
    servers: 'servers' in value && Array.isArray(value.servers) ? value.servers.flatMap(serverName) : [],
    refused: 'refused' in value ? refusal(value.refused) : undefined,
  };
}

function serverName(value: unknown): string[] {
  return typeof value === 'object' && value !== null && 'server' in value ? [text(value.server)] : [];
}

function refusal(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('why' in value)) return undefined;
  const count = 'count' in value && typeof value.count === 'number' ? value.count : 1;
  const from = 'address' in value ? text(value.address) : '';
  const remedy = 'remedy' in value ? text(value.remedy) : '';
  const times = count === 1 ? 'once' : `${count} times`;
  return `refused ${times}, last from ${from}: ${text(value.why)}${remedy === '' ? '' : ` (${remedy})`}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function time(value: unknown): number | undefined {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}
