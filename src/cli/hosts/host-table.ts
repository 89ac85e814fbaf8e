import { UserError } from '../../shared/errors.js';

/** What the table shows of a host. */
export interface ListedHost {
  readonly host: string;
  readonly connected: boolean;
  /** of the session, or of the last time the host was seen; undefined where the server does not say */
  readonly sinceMs: number | undefined;
  readonly version: string;
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
    ['HOST', 'AGENT', 'SINCE', 'VERSION'],
    ...hosts.map(({ host, connected, sinceMs, version }) => [
      host,
      connected ? 'connected' : 'gone',
      sinceMs === undefined ? '-' : age(nowMs - sinceMs),
      version || '-',
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
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
function age(ms: number): string {
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
    version: 'version' in value && typeof value.version === 'string' ? value.version : '',
  };
}

function time(value: unknown): number | undefined {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}
