import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import { pieces } from '../../shared/pieces.js';
import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import type { AgentRecord, Store } from '../store/store.js';

/** The kind of the agents that speak this protocol. */
const KIND = 'ibex';
/** The store id of an agent that has no memory of its own: the next agent, which has one, is known to have another. */
const LEGACY_STORE = 'legacy';
/** How long a change waits until it is written, ms: between one and two of these. */
const WRITE_EVERY_MS = 5_000;
/** Records written at once. */
const WRITE_GROUP = 500;
const LAST_WRITES_WITHIN_MS = 500;

type Records = Pick<Store, 'agents' | 'agent' | 'saveAgent' | 'pinAgent' | 'forgetAgent' | 'removeAgents'>;

/**
 * The agents this database knows, in memory and in the store. A first sight is written at once. Other changes are
 * written some seconds later and in groups: then the runs that a new store id makes lost have long been settled, and
 * ten thousand agents that come back together cost the database little. At most one change a host waits.
 */
export class AgentRecords implements AsyncDisposable {
  readonly #store: Records;
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #byHost = new Map<string, AgentRecord>();
  readonly #byFoldedHost = new Map<string, string>();
  readonly #keyless = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #fresh = new Set<string>();
  #aged = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(store: Records, log: Log, nowMs: () => number, known: readonly AgentRecord[]) {
    this.#store = store;
    this.#log = log;
    this.#nowMs = nowMs;
    for (const record of known) this.#keep(record);
    this.#timer = setInterval(() => this.#writeAged(), WRITE_EVERY_MS);
    this.#timer.unref();
  }

  /** `nowMs`: unix ms */
  static async load(store: Records, log: Log, nowMs: () => number): Promise<AgentRecords> {
    return new AgentRecords(store, log, nowMs, await store.agents());
  }

  all(): Iterable<AgentRecord> {
    return this.#byHost.values();
  }

  get(host: string): AgentRecord | undefined {
    return this.#byHost.get(host);
  }

  /** How many Hosts have no key and were last an agent's that has none: whoever may connect can make more of them. */
  get keyless(): number {
    return this.#keyless.size;
  }

  /** The Hosts without a key, the longest unseen first. */
  keylessByAge(): AgentRecord[] {
    const records = [...this.#keyless].flatMap((host) => this.#byHost.get(host) ?? []);
    return records.sort((a, b) => a.lastSeenMs - b.lastSeenMs);
  }

  /**
   * Forgets Hosts without a key altogether. Resolves when the store has; another server may have seen one meanwhile.
   */
  async remove(records: readonly AgentRecord[]): Promise<void> {
    for (const { host } of records) this.#drop(host);
    // Not by Math.max(...): a database may know more hosts than a call can have arguments.
    const seenUntilMs = records.reduce((latest, { lastSeenMs }) => Math.max(latest, lastSeenMs), 0);
    // A write that is under way would bring one back.
    await this.#writing;
    await this.#store.removeAgents(
      records.map(({ host }) => host),
      seenUntilMs,
    );
  }

  /** A known Host that differs from this one only by letter case or trailing blanks. */
  twin(host: string): string | undefined {
    const known = this.#byFoldedHost.get(fold(host));
    return known === host ? undefined : known;
  }

  /** Other Hosts under which this agent was known since its machine's last start: it was renamed. */
  formerHosts({ host, key, bootId }: HelloFrame): readonly string[] {
    const same = [...this.#byHost.values()].filter((record) => record.key === key && record.bootId === bootId);
    return same.map((record) => record.host).filter((former) => former !== host);
  }

  /** Reads a record anew: another server may have pinned or forgotten its key. */
  async refresh(host: string): Promise<void> {
    const record = await this.#store.agent(host);
    if (record) this.#keep(record);
  }

  /** Reads the records of hosts that other servers have met. What is known of the others here is as new. */
  async refreshAll(): Promise<void> {
    for (const record of await this.#store.agents()) if (!this.#byHost.has(record.host)) this.#keep(record);
  }

  /**
   * Pins the key of a Host that has none. The key holds from the call on, and is durable when the promise resolves with
   * true; false: another server has pinned another one at the same moment, which holds.
   */
  async pin(hello: HelloFrame): Promise<boolean> {
    const before = this.#byHost.get(hello.host);
    const record = recordOf(hello, before, this.#nowMs());
    this.#keep(record);
    try {
      const stored = await this.#store.pinAgent(record);
      if (stored.key === hello.key) this.#fresh.add(hello.host);
      else this.#keep(stored);
      return stored.key === hello.key;
    } catch (error) {
      if (this.#byHost.get(hello.host) !== record) throw error;
      if (before) this.#keep(before);
      else this.#drop(hello.host);
      throw error;
    }
  }

  /** A known agent has come, or gone. */
  seen(hello: HelloFrame): void {
    const before = this.#byHost.get(hello.host);
    // A key that was forgotten meanwhile must not come back with a late write.
    this.#keep({ ...recordOf(hello, before, this.#nowMs()), key: before?.key ?? hello.key });
    this.#fresh.add(hello.host);
  }

  /** An agent without key or memory of its own has come, or gone, under a Host that has no key. */
  seenLegacy(host: string, kind: string): void {
    const before = this.#byHost.get(host);
    const nowMs = this.#nowMs();
    const firstSeenMs = before?.firstSeenMs ?? nowMs;
    this.#keep({
      host,
      key: before?.key ?? '',
      storeId: LEGACY_STORE,
      bootId: '',
      version: '',
      kind,
      firstSeenMs,
      lastSeenMs: nowMs,
    });
    this.#fresh.add(host);
    // The kind decides about the runs of this Host, so it must outlive this server.
    if (before?.storeId === LEGACY_STORE && before.kind === kind) return;
    this.#save(host).catch(() => undefined);
  }

  async forget(host: string): Promise<boolean> {
    const known = await this.#store.forgetAgent(host);
    const record = this.#byHost.get(host);
    if (record) this.#keep({ ...record, key: '' });
    return known;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#writeAged();
    this.#writeAged();
    await Promise.race([this.#writing, new Promise((resolve) => setTimeout(resolve, LAST_WRITES_WITHIN_MS).unref())]);
  }

  #keep(record: AgentRecord): void {
    this.#byHost.set(record.host, record);
    this.#byFoldedHost.set(fold(record.host), record.host);
    if (record.key === '' && record.storeId === LEGACY_STORE) this.#keyless.add(record.host);
    else this.#keyless.delete(record.host);
  }

  #drop(host: string): void {
    this.#byHost.delete(host);
    this.#byFoldedHost.delete(fold(host));
    this.#keyless.delete(host);
    this.#fresh.delete(host);
    this.#aged.delete(host);
  }

  #writeAged(): void {
    const hosts = [...this.#aged];
    this.#aged = this.#fresh;
    this.#fresh = new Set();
    if (hosts.length > 0) this.#writing = this.#writing.then(() => this.#write(hosts));
  }

  async #write(hosts: readonly string[]): Promise<void> {
    for (const group of pieces(hosts, WRITE_GROUP)) {
      const saved = await Promise.allSettled(group.map((host) => this.#save(host)));
      const failed = saved.filter((one) => one.status === 'rejected');
      if (failed.length === 0) continue;
      this.#log.warn(
        { agents: failed.length, err: describeError(failed[0]?.reason) },
        'agent records not written, trying again',
      );
      saved.forEach((one, i) => {
        const host = group[i];
        if (one.status === 'rejected' && host !== undefined) this.#fresh.add(host);
      });
    }
  }

  async #save(host: string): Promise<void> {
    const record = this.#byHost.get(host);
    if (record) await this.#store.saveAgent(record);
  }
}

function recordOf(hello: HelloFrame, before: AgentRecord | undefined, nowMs: number): AgentRecord {
  const { host, key, storeId, bootId, agent } = hello;
  return {
    host,
    key,
    storeId,
    bootId,
    version: agent,
    kind: KIND,
    firstSeenMs: before?.firstSeenMs ?? nowMs,
    lastSeenMs: nowMs,
  };
}

/** As MySQL compares names: without letter case and trailing blanks. */
function fold(host: string): string {
  return host.trimEnd().toLowerCase();
}
