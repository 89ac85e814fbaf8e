import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Log } from '../../shared/log.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import type { HostDirectory, HostView } from '../http/hosts.js';
import type { ClusterIdentity } from '../store/store.js';
import type { AgentRecords } from './agent-records.js';
import type { AgentSession } from './agent-session.js';
import type { AgentEvents } from './gateway.js';
import type { HostSession } from './host-session.js';
import { PinAdmission } from './pin-admission.js';
import { RefusalKind, Refusals, type Refused } from './refusals.js';
import type { Admission, SessionDesk } from './session-desk.js';
import type { SessionRegistry } from './session-registry.js';

export interface AgentDeskParts {
  readonly cluster: ClusterIdentity;
  readonly events: AgentEvents;
  readonly records: AgentRecords;
  readonly registry: SessionRegistry;
  readonly log: Log;
}

/** Joins the sessions with the records of their agents, the registry and the task service. */
export class AgentDesk implements SessionDesk, HostDirectory {
  readonly cluster: ClusterIdentity;
  readonly instance = randomUUID();
  readonly events: AgentEvents;
  readonly log: Log;
  readonly #records: AgentRecords;
  readonly #registry: SessionRegistry;
  readonly #refusals: Refusals;
  readonly #admission: PinAdmission;
  readonly #sinceMs = new WeakMap<HostSession, number>();

  constructor({ cluster, events, records, registry, log }: AgentDeskParts) {
    this.cluster = cluster;
    this.events = events;
    this.log = log;
    this.#records = records;
    this.#registry = registry;
    this.#refusals = new Refusals(log);
    this.#admission = new PinAdmission(records, registry, this.#refusals);
  }

  nowMs(): number {
    return performance.now();
  }

  admit(session: AgentSession, hello: HelloFrame): Promise<Admission> {
    return this.#admission.admit(session, hello);
  }

  ready(session: HostSession): void {
    this.#sinceMs.set(session, Date.now());
    this.log.info({ host: session.host, address: session.address, version: session.hello?.agent }, 'agent connected');
    this.#registry.announce(session);
  }

  closed(session: HostSession): void {
    if (!this.#registry.release(session)) return;
    if (session.hello) this.#records.seen(session.hello);
    this.log.info({ host: session.host, address: session.address }, 'agent gone');
  }

  hosts(): HostView[] {
    return [...this.#records.all()].map((record) => {
      const session = this.#registry.holder(record.host);
      const connected = session?.ready ? session : undefined;
      const sinceMs = (connected && this.#sinceMs.get(connected)) ?? record.lastSeenMs;
      const refused = this.#refusals.get(record.host);
      return {
        host: record.host,
        connected: connected !== undefined,
        since: new Date(sinceMs).toISOString(),
        version: record.version,
        kind: record.kind,
        session: connected && {
          address: connected.address,
          instance: connected.hello?.instance ?? '',
          runs: connected.heldRuns,
        },
        refused: refused && refusedView(refused),
      };
    });
  }

  /** Notes an agent that was turned away, for the log and the list of hosts. */
  refused(host: string, address: string, why: string, remedy: string): void {
    this.#refusals.note(host, { kind: RefusalKind.taken, address, why, remedy });
  }

  /** The agent that has the key is put out and kept out for a while, so that the rightful one can come in. */
  async forget(host: string): Promise<boolean> {
    this.#refusals.forget(host);
    const key = this.#records.get(host)?.key ?? '';
    const known = await this.#records.forget(host);
    if (key === '') return known;
    this.#admission.bar(host, key);
    const holder = this.#registry.holder(host);
    if (holder?.hello?.key === key) holder.close(CloseCode.notAdmitted, 'the key of this host was forgotten');
    return known;
  }
}

function refusedView({ atMs, kind, address, why, remedy, count }: Refused): HostView['refused'] {
  return { at: new Date(atMs).toISOString(), kind, address, why, remedy, count };
}
