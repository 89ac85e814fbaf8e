import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import type { AgentRecords } from './agent-records.js';
import { RefusalKind, type Refusal, type Refusals } from './refusals.js';
import type { Admission, HostSession, OpeningSession } from './host-session.js';
import type { SessionRegistry } from './session-registry.js';

/** How long an older session has to show that it lives before another one gets its Host, ms. */
const PROBE_MS = 2_000;

/** How long a forgotten key is kept out, ms: longer than a refused agent waits before it tries again. */
const BARRED_MS = 20_000;

/** Copies of one agent that are told apart. */
const MAX_COPIES = 100;

const OWN_HOST = 'give each machine a Host of its own in agentd.conf';
const OWN_META_DIR = 'on the machine that is the copy, give MetaDir another place and Host another name in agentd.conf';

/**
 * Admission "pin": the first key seen for a Host is the only one it is given to, until it is forgotten. And one Host
 * has one session: the newest process of the same boot replaces an older one at once, anyone else only a dead one. A
 * process that was replaced is no newer one: if it comes back, it and its replacer are copies of each other.
 */
export class PinAdmission {
  readonly #records: AgentRecords;
  readonly #registry: SessionRegistry;
  readonly #refusals: Refusals;
  /** one a host that an operator had forgotten */
  readonly #barred = new Map<string, { readonly key: string; readonly untilMs: number }>();
  /** the processes that a session has replaced, one after the other */
  readonly #replaced = new WeakMap<HostSession, readonly string[]>();

  constructor(records: AgentRecords, registry: SessionRegistry, refusals: Refusals) {
    this.#records = records;
    this.#registry = registry;
    this.#refusals = refusals;
  }

  /** Keeps out a key that was forgotten: its agent would else be the first to come again, and be pinned again. */
  bar(host: string, key: string): void {
    this.#barred.set(host, { key, untilMs: performance.now() + BARRED_MS });
  }

  /** Resolves after a first sight is durable. Rejects with StoreError. */
  async admit(session: OpeningSession, hello: HelloFrame): Promise<Admission> {
    const { host } = hello;
    if (this.#records.get(host)?.key !== hello.key) await this.#records.refresh(host);
    const refusal = await this.#claim(session, hello);
    if (refusal) return refusal;
    if (session.closed) return { admitted: false, closeCode: CloseCode.normal, why: '' };
    // From the check of the key to here nothing was awaited, so no other session can have come between.
    this.#registry.claim(host, session);
    const record = this.#records.get(host);
    const newStore = record !== undefined && record.storeId !== '' && record.storeId !== hello.storeId;
    if (record?.key === hello.key) this.#records.seen(hello);
    else if (!(await this.#records.pin(hello))) {
      this.#registry.release(session);
      return this.#refuse(session, host, otherKey(host));
    }
    return { admitted: true, newStore };
  }

  /** Resolves with undefined at a moment when the key is right and no live session holds the Host. */
  async #claim(session: OpeningSession, hello: HelloFrame): Promise<Admission | undefined> {
    let heard = false;
    for (;;) {
      const wrong = this.#checkKey(session, hello);
      if (wrong || session.closed) return wrong;
      const holder = this.#registry.holder(hello.host);
      if (!holder) return undefined;
      if (this.#isForgotten(holder)) {
        // By way of another server, which can't reach this session.
        this.bar(hello.host, holder.hello?.key ?? '');
        holder.close(CloseCode.notAdmitted, 'the key of this host was forgotten');
      } else if (!holder.pushed || this.#replaces(hello, holder)) {
        // An agent without a key gives way to one that proves its key.
        holder.close(CloseCode.replaced, 'a newer process of this agent has connected');
        this.#noteReplaced(session, holder);
      } else if (heard) {
        return this.#refuse(session, hello.host, taken(hello, holder));
      } else {
        heard = await holder.probe(PROBE_MS);
        if (!heard) holder.close(CloseCode.silent, 'no answer to a ping, and another session wants the Host');
      }
    }
  }

  #checkKey(session: OpeningSession, { host, key }: HelloFrame): Admission | undefined {
    const pinned = this.#records.get(host)?.key ?? '';
    if (pinned !== '' && pinned !== key) return this.#refuse(session, host, otherKey(host));
    const barred = this.#barred.get(host);
    if (barred && performance.now() > barred.untilMs) this.#barred.delete(host);
    else if (barred?.key === key) {
      return this.#refuse(session, host, {
        kind: RefusalKind.forgotten,
        why: `the key of ${host} was forgotten; it is admitted again soon if no other agent comes`,
        remedy: 'none needed, or stop this agent',
      });
    }
    const twin = this.#records.twin(host);
    if (twin === undefined) return undefined;
    const why = `${host} differs from the known Host ${twin} only by letter case or blanks`;
    return this.#refuse(session, host, { kind: RefusalKind.name, why, remedy: OWN_HOST });
  }

  /** True if the Host's key is no longer the one with which this session came in. */
  #isForgotten({ host, hello }: HostSession): boolean {
    return hello !== undefined && hello.key !== this.#records.get(host)?.key;
  }

  #replaces(hello: HelloFrame, holder: HostSession): boolean {
    const older = holder.hello;
    const restarted = older?.key === hello.key && older.bootId === hello.bootId && older.instance !== hello.instance;
    return restarted && this.#replaced.get(holder)?.includes(hello.instance) !== true;
  }

  #noteReplaced(session: HostSession, holder: HostSession): void {
    if (!holder.hello) return;
    const before = this.#replaced.get(holder) ?? [];
    this.#replaced.set(session, [holder.hello.instance, ...before].slice(0, MAX_COPIES));
  }

  #refuse(session: OpeningSession, host: string, refusal: Omit<Refusal, 'address'>): Admission {
    this.#refusals.note(host, { ...refusal, address: session.address });
    const keyIsRight = refusal.kind === RefusalKind.clone || refusal.kind === RefusalKind.taken;
    const closeCode = keyIsRight ? CloseCode.hostTaken : CloseCode.notAdmitted;
    return { admitted: false, closeCode, why: refusal.why };
  }
}

function otherKey(host: string): Omit<Refusal, 'address'> {
  const remedy = `if the machine was reinstalled: ibex hosts forget ${host}`;
  return { kind: RefusalKind.otherKey, why: `another key is pinned for ${host}`, remedy };
}

function taken(hello: HelloFrame, holder: HostSession): Omit<Refusal, 'address'> {
  const why = `another live session, from ${holder.address}, holds ${hello.host}`;
  if (hello.instance === holder.hello?.instance) {
    return { kind: RefusalKind.taken, why, remedy: 'none needed: it is the same process' };
  }
  return { kind: RefusalKind.clone, why: `${why} with the same key: a copy of its MetaDir`, remedy: OWN_META_DIR };
}
