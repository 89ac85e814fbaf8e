import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { Snapshot } from '../core/records.js';
import { StoreError, type AgentRecord, type Store } from '../store/store.js';
import type { AgentRecords } from './agent-records.js';
import type { Refusals, Refused } from './refusals.js';
import type { SessionRegistry } from './session-registry.js';
import type { OtherSession, SessionDirectory } from '../peers/session-directory.js';

interface SessionView {
  /** IP:port of the server's agents' port */
  readonly server: string;
  /** RFC 3339 */
  readonly since: string;
  /** of the agent */
  readonly address: string;
}

interface RefusedView {
  /** the last time; RFC 3339 */
  readonly at: string;
  readonly kind: string;
  readonly address: string;
  readonly why: string;
  readonly remedy: string;
  /** since the server's start */
  readonly count: number;
}

/** A machine as `ibex hosts` shows it. */
export interface HostView {
  readonly host: string;
  readonly connected: boolean;
  /** when it connected, or was last seen; RFC 3339 */
  readonly since: string;
  readonly version: string;
  readonly kind: string;
  /** the servers that it has a session with, this one first */
  readonly servers: readonly SessionView[];
  /** the runs that its agent has, started or waiting for their turn */
  readonly running: readonly { readonly task: number; readonly clock: number }[];
  /** undefined while it is not connected to this server */
  readonly session: { readonly address: string; readonly instance: string; readonly runs: number } | undefined;
  /** the last one that was turned away as this Host, if any since the server's start */
  readonly refused: RefusedView | undefined;
}

export interface HostListParts {
  readonly records: AgentRecords;
  readonly registry: SessionRegistry;
  readonly refusals: Refusals;
  readonly shared: SessionDirectory;
  readonly store: Pick<Store, 'activeRunsOf'>;
  readonly log: Log;
}

interface PeerSessions {
  readonly sessions: ReadonlyMap<string, readonly OtherSession[]>;
  readonly activeRuns: ReadonlyMap<string, readonly Snapshot['activeRuns'][number][]>;
}

const NO_PEERS: PeerSessions = { sessions: new Map(), activeRuns: new Map() };

/** The hosts of this database, with the sessions that their agents have with this server and with others. */
export class HostList {
  readonly #parts: HostListParts;

  constructor(parts: HostListParts) {
    this.#parts = parts;
  }

  /** While the database does not answer, what this server knows by itself. */
  async read(): Promise<readonly HostView[]> {
    const peers = await this.#peers();
    return [...this.#parts.records.all()].map((record) => this.#view(record, peers));
  }

  async #peers(): Promise<PeerSessions> {
    const { records, registry, shared, store, log } = this.#parts;
    try {
      const others = await shared.others();
      if (others.length === 0) return NO_PEERS;
      if (others.some(({ host }) => records.get(host) === undefined)) await records.refreshAll();
      // An agent reports its runs to each of its servers; for agents that are only peers the database has them.
      const activeRuns = others.some(({ host }) => !registry.holder(host)?.ready) ? await store.activeRunsOf() : [];
      return {
        sessions: Map.groupBy(others, ({ host }) => host),
        activeRuns: Map.groupBy(activeRuns, ({ host }) => host),
      };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      log.warn({ err: describeError(error) }, 'the sessions of other servers are not listed');
      return NO_PEERS;
    }
  }

  #view(record: AgentRecord, peers: PeerSessions): HostView {
    const { registry, shared, refusals } = this.#parts;
    const { host, version, kind, lastSeenMs } = record;
    const holder = registry.holder(host);
    const here = holder?.ready ? holder : undefined;
    const others = peers.sessions.get(host) ?? [];
    const hereSinceMs = shared.own(host)?.sinceMs ?? lastSeenMs;
    const servers: SessionView[] = [
      ...(here ? [viewOf(shared.name, here.address, hereSinceMs)] : []),
      ...others.map((other) => viewOf(other.server, other.address, other.sinceMs)),
    ];
    const sinceMs = here ? hereSinceMs : Math.min(...others.map((other) => other.sinceMs));
    const running = here?.heldRuns ?? (others.length > 0 ? (peers.activeRuns.get(host) ?? []) : []);
    const refused = refusals.get(host);
    return {
      host,
      connected: servers.length > 0,
      since: new Date(Number.isFinite(sinceMs) ? sinceMs : lastSeenMs).toISOString(),
      version,
      kind,
      servers,
      running: running.map(({ taskId, clock }) => ({ task: taskId, clock })),
      session: here && {
        address: here.address,
        instance: here.hello?.instance ?? '',
        runs: running.length,
      },
      refused: refused && refusedView(refused),
    };
  }
}

function viewOf(server: string, address: string, sinceMs: number): SessionView {
  return { server, address, since: new Date(sinceMs).toISOString() };
}

function refusedView({ atMs, kind, address, why, remedy, count }: Refused): HostView['refused'] {
  return { at: new Date(atMs).toISOString(), kind, address, why, remedy, count };
}
