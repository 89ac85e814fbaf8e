import type { Log } from '../../shared/log.js';
import { MAX_HOST_LENGTH } from '../../shared/protocol/limits.js';
import type { AgentService } from '../agents/agent-service.js';
import type { AgentRecords } from '../agents/agent-records.js';
import type { PulledWork } from '../tasks/agent-gateway.js';
import type { SessionRegistry } from '../agents/session-registry.js';
import { AnswerDeadline } from './answer-deadline.js';
import { ByteBudget } from './byte-budget.js';
import { LegacyKind, legacyKind } from './tracked-task.js';
import { KnownHosts } from './known-hosts.js';
import type { CallHandler, LegacyConnection } from './legacy-connection.js';
import { LegacyHost, type LegacyHostParts } from './legacy-host.js';
import type { MetaAnswer, Report, ReportAnswer } from './rpc-codec.js';
import { withoutScript } from './script-answer.js';

export interface LegacyAgentsParts {
  readonly work: PulledWork;
  readonly registry: SessionRegistry;
  readonly records: AgentRecords;
  readonly agents: Pick<AgentService, 'ready' | 'closed' | 'refused'>;
  readonly log: Log;
  /** unix ms */
  readonly nowMs: () => number;
}

/** Output of running scripts that is kept to be shown, of all agents. */
const LIVE_BYTES = 64 * 1024 * 1024;
/** A connection that has been silent for so long, and for three of its intervals, gives way to another one. */
const SILENT_MS = 10_000;
const SILENT_INTERVALS = 3;
/** After a connection has gone, its agent has so long to come back before another that was there already is served. */
const RETURN_MS = 15_000;

const OWN_NAME = 'give each machine a name of its own (hostname in Categraf, Host in agentd.conf)';

/**
 * All agents of the legacy kind: who may have which Host, and which connection speaks for it. The agent that has a key
 * always wins; of several connections under one name the first one does, as long as it lives.
 */
export class LegacyAgents implements CallHandler, Disposable {
  readonly #parts: LegacyAgentsParts;
  readonly #hostParts: LegacyHostParts;
  readonly #hosts = new Map<string, LegacyHost>();
  readonly #known: KnownHosts;
  /** connections that had to wait for another one of the same name */
  readonly #contenders = new WeakSet<LegacyConnection>();
  readonly #goneMs = new WeakMap<LegacyHost, number>();

  constructor(parts: LegacyAgentsParts) {
    this.#parts = parts;
    const { work, log, records, nowMs } = parts;
    this.#known = new KnownHosts({ records, forget: (host) => this.#forget(host), log, nowMs });
    this.#hostParts = { work, log, nowMs, liveBudget: new ByteBudget(LIVE_BYTES), serverStartMs: nowMs() };
  }

  [Symbol.dispose](): void {
    this.#known[Symbol.dispose]();
  }

  async report(peer: LegacyConnection, report: Report): Promise<ReportAnswer | undefined> {
    const { ident } = report;
    if (peer.ident !== undefined && peer.ident !== ident) {
      // Its machine was renamed. On a connection of its own it is served under the new name.
      peer.close();
      return undefined;
    }
    const wrong = this.#refusal(peer, ident);
    if (wrong !== undefined) return { message: wrong };
    peer.ident = ident;
    const host = this.#host(ident);
    const waits = this.#seat(host, peer);
    if (waits !== undefined) return { message: waits };
    const before = host.kind;
    const answer = await host.beat(peer, report);
    if (host.kind !== before) this.#parts.records.seenLegacy(ident, host.kind);
    return answer;
  }

  async meta(peer: LegacyConnection, taskId: number): Promise<MetaAnswer> {
    if (peer.ident === undefined) return await this.#metaOfUnnamed(peer, taskId);
    const host = this.#hosts.get(peer.ident);
    if (host?.connection !== peer) return { message: 'another agent has this name' };
    return await host.meta(peer, taskId);
  }

  closed(peer: LegacyConnection): void {
    const host = peer.ident === undefined ? undefined : this.#hosts.get(peer.ident);
    if (host?.connection !== peer) return;
    this.#goneMs.set(host, performance.now());
    this.#parts.agents.closed(host);
    host.detach();
    this.#parts.records.seenLegacy(host.host, host.kind);
  }

  /** Why this connection may not speak for this Host at all. */
  #refusal(peer: LegacyConnection, ident: string): string | undefined {
    if (ident === '' || ident.length > MAX_HOST_LENGTH || hasOddCharacters(ident)) {
      return `the name of this agent must have 1 to ${MAX_HOST_LENGTH} characters`;
    }
    const { records, registry, agents } = this.#parts;
    const pinned = (records.get(ident)?.key ?? '') !== '';
    const holder = registry.holder(ident);
    if (pinned || holder?.pushed) {
      const why = `${ident} has an agent with a key; one without a key is not served`;
      agents.refused(
        ident,
        peer.address,
        why,
        `switch that agent off; or, to go back to it: ibex hosts forget ${ident}`,
      );
      return why;
    }
    const twin = records.twin(ident);
    if (twin === undefined) return undefined;
    const why = `${ident} differs from the known Host ${twin} only by letter case or blanks`;
    agents.refused(ident, peer.address, why, OWN_NAME);
    return why;
  }

  /** Lets the connection speak for its Host, or says why it has to wait. */
  #seat(host: LegacyHost, peer: LegacyConnection): string | undefined {
    const current = host.connection;
    if (current === peer) return undefined;
    const nowMs = performance.now();
    const goneMs = this.#goneMs.get(host);
    if (current) {
      const patienceMs = Math.max(SILENT_MS, SILENT_INTERVALS * current.intervalMs);
      if (current.silentMs(nowMs) <= patienceMs) {
        this.#contenders.add(peer);
        const why = `another agent, at ${current.address}, is connected as ${host.host}`;
        this.#parts.agents.refused(host.host, peer.address, why, OWN_NAME);
        return why;
      }
      current.close();
    } else if (this.#contenders.has(peer) && goneMs !== undefined && nowMs - goneMs < RETURN_MS) {
      return `another agent was connected as ${host.host} until just now`;
    }
    this.#take(host, peer);
    return undefined;
  }

  #take(host: LegacyHost, peer: LegacyConnection): void {
    const { registry, records, agents } = this.#parts;
    const record = records.get(host.host);
    if (record && record.kind !== '' && !isLegacy(record.kind)) host.pushedUntilMs = this.#parts.nowMs();
    host.attach(peer);
    registry.claim(host.host, host);
    records.seenLegacy(host.host, host.kind);
    agents.ready(host);
    if (!record) this.#known.came();
  }

  #host(ident: string): LegacyHost {
    let host = this.#hosts.get(ident);
    if (!host) {
      const kind = legacyKind(this.#parts.records.get(ident)?.kind);
      this.#hosts.set(ident, (host = new LegacyHost(ident, kind, this.#hostParts)));
    }
    return host;
  }

  /** False if it is connected, or anything is or may be under way there. */
  #forget(ident: string): boolean {
    const { registry, work } = this.#parts;
    const idle = this.#hosts.get(ident)?.idle ?? true;
    if (!idle || registry.holder(ident) !== undefined || work.openRuns(ident)?.length !== 0) return false;
    this.#hosts.delete(ident);
    return true;
  }

  /**
   * An agent whose connection broke between its list and this question asks on a new one, before it gives its name. It
   * gets the script if exactly one agent of that address was offered the task on a connection that is gone.
   */
  async #metaOfUnnamed(peer: LegacyConnection, taskId: number): Promise<MetaAnswer> {
    const candidates = [...this.#hosts.values()].filter(
      (host) => host.lastAddress === peer.address && host.mayAskFor(taskId),
    );
    const [host] = candidates;
    const answer =
      host && candidates.length === 1
        ? await host.meta(peer, taskId)
        : await withoutScript(taskId, this.#parts.work, new AnswerDeadline());
    peer.early.set(taskId, 'script' in answer);
    return answer;
  }
}

function isLegacy(kind: string): boolean {
  return Object.values<string>(LegacyKind).includes(kind);
}

/** True for control characters, and for the one that stands for bytes that are no text: no machine's name has them. */
function hasOddCharacters(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
  return text.includes('\ufffd');
}
