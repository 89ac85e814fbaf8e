import { performance } from 'node:perf_hooks';
import type { Log } from '../../shared/log.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import { HostList, type HostView } from './host-list.js';
import type { ClusterIdentity, Store } from '../store/store.js';
import type { AgentRecords } from './agent-records.js';
import type { AgentEvents } from '../tasks/agent-gateway.js';
import { PinAdmission } from './pin-admission.js';
import { RefusalKind, Refusals } from './refusals.js';
import type { Admission, HostSession, OpeningSession, SessionHost } from './host-session.js';
import type { SessionRegistry } from './session-registry.js';
import type { SessionDirectory } from '../peers/session-directory.js';

export interface AgentServiceParts {
  readonly cluster: ClusterIdentity;
  readonly events: AgentEvents;
  readonly records: AgentRecords;
  readonly registry: SessionRegistry;
  /** of this server process */
  readonly instance: string;
  readonly shared: SessionDirectory;
  readonly store: Pick<Store, 'activeRunsOf'>;
  readonly log: Log;
  /** unix ms */
  readonly nowMs: () => number;
}

/** Joins the sessions with the records of their agents, the registry and the task service. */
export class AgentService implements SessionHost {
  readonly cluster: ClusterIdentity;
  readonly instance: string;
  readonly events: AgentEvents;
  readonly log: Log;
  readonly #parts: AgentServiceParts;
  readonly #refusals: Refusals;
  readonly #admission: PinAdmission;
  readonly #list: HostList;

  constructor(parts: AgentServiceParts) {
    this.cluster = parts.cluster;
    this.instance = parts.instance;
    this.events = parts.events;
    this.log = parts.log;
    this.#parts = parts;
    this.#refusals = new Refusals(parts.log, parts.nowMs);
    this.#list = new HostList({ ...parts, refusals: this.#refusals });
    this.#admission = new PinAdmission(parts.records, parts.registry, this.#refusals);
  }

  monotonicMs(): number {
    return performance.now();
  }

  admit(session: OpeningSession, hello: HelloFrame): Promise<Admission> {
    return this.#admission.admit(session, hello);
  }

  formerHosts({ hello }: HostSession): readonly string[] {
    const former = hello ? this.#parts.records.formerHosts(hello) : [];
    return former.filter((host) => this.#parts.registry.holder(host) === undefined);
  }

  ready(session: HostSession): void {
    const { host, address } = session;
    this.#parts.shared.connected({ host, address, sinceMs: this.#parts.nowMs() });
    this.log.info({ host: session.host, address: session.address, version: session.hello?.agent }, 'agent connected');
    this.#parts.registry.announce(session);
  }

  closed(session: HostSession): void {
    if (!this.#parts.registry.release(session)) return;
    this.#parts.shared.disconnected(session.host);
    if (session.hello) this.#parts.records.seen(session.hello);
    this.log.info({ host: session.host, address: session.address }, 'agent gone');
  }

  hosts(): Promise<readonly HostView[]> {
    return this.#list.read();
  }

  /** Notes an agent that was turned away, for the log and the list of hosts. */
  refused(host: string, address: string, why: string, remedy: string): void {
    this.#refusals.note(host, { kind: RefusalKind.taken, address, why, remedy });
  }

  /** Closes the session of the agent that has the key and bars it for a while, so that the rightful agent can come in. */
  async forget(host: string): Promise<boolean> {
    this.#refusals.forget(host);
    const key = this.#parts.records.get(host)?.key ?? '';
    const known = await this.#parts.records.forget(host);
    if (key === '') return known;
    this.#admission.bar(host, key);
    const holder = this.#parts.registry.holder(host);
    if (holder?.hello?.key === key) holder.close(CloseCode.notAdmitted, 'the key of this host was forgotten');
    return known;
  }
}
