import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import type { AgentRecords } from './agent-records.js';
import type { AgentSession } from './agent-session.js';
import type { Refusals } from './refusals.js';
import type { Admission } from './session-desk.js';
import type { SessionRegistry } from './session-registry.js';

/** How long an older session has to show that it lives before another one gets its Host, ms. */
const PROBE_MS = 2_000;

/** How long a forgotten key is kept out, ms: longer than a refused agent waits before it tries again. */
const BARRED_MS = 20_000;

const OWN_HOST = 'give each machine a Host of its own in agentd.conf';

/**
 * Admission "pin": the first key seen for a Host is the only one it is given to, until it is forgotten. And one Host
 * has one session: the newest process of the same boot replaces an older one at once, anyone else only a dead one.
 */
export class PinAdmission {
  readonly #records: AgentRecords;
  readonly #registry: SessionRegistry;
  readonly #refusals: Refusals;
  /** one a host that an operator had forgotten */
  readonly #barred = new Map<string, { readonly key: string; readonly untilMs: number }>();

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
  async admit(session: AgentSession, hello: HelloFrame): Promise<Admission> {
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
    else await this.#records.pin(hello);
    return { admitted: true, newStore };
  }

  /** Resolves with undefined at a moment when the key is right and no live session holds the Host. */
  async #claim(session: AgentSession, hello: HelloFrame): Promise<Admission | undefined> {
    let heard = false;
    for (;;) {
      const wrong = this.#checkKey(session, hello);
      if (wrong || session.closed) return wrong;
      const holder = this.#registry.holder(hello.host);
      if (!holder) return undefined;
      if (!holder.pushed || replaces(hello, holder.hello)) {
        // One that shows no key gives way to one that proves its own.
        holder.close(CloseCode.replaced, 'a newer process of this agent has connected');
      } else if (heard) {
        return this.#refuse(
          session,
          hello.host,
          CloseCode.hostTaken,
          `another live session, from ${holder.address}, holds ${hello.host}`,
          OWN_HOST,
        );
      } else {
        heard = await holder.probe(PROBE_MS);
        if (!heard) holder.close(CloseCode.silent, 'no answer to a ping, and another session wants the Host');
      }
    }
  }

  #checkKey(session: AgentSession, { host, key }: HelloFrame): Admission | undefined {
    const pinned = this.#records.get(host)?.key ?? '';
    if (pinned !== '' && pinned !== key) {
      const remedy = `if the machine was reinstalled: ibex hosts forget ${host}`;
      return this.#refuse(session, host, CloseCode.notAdmitted, `another key is pinned for ${host}`, remedy);
    }
    const barred = this.#barred.get(host);
    if (barred && performance.now() > barred.untilMs) this.#barred.delete(host);
    else if (barred?.key === key) {
      const why = `the key of ${host} was forgotten; it is admitted again soon if no other agent comes`;
      return this.#refuse(session, host, CloseCode.notAdmitted, why, 'none needed, or stop this agent');
    }
    const twin = this.#records.twin(host);
    if (twin === undefined) return undefined;
    const why = `${host} differs from the known Host ${twin} only by letter case or blanks`;
    return this.#refuse(session, host, CloseCode.notAdmitted, why, OWN_HOST);
  }

  #refuse(session: AgentSession, host: string, closeCode: CloseCode, why: string, remedy: string): Admission {
    this.#refusals.note(host, session.address, why, remedy);
    return { admitted: false, closeCode, why };
  }
}

function replaces(hello: HelloFrame, older: HelloFrame | undefined): boolean {
  return (
    older !== undefined && hello.key === older.key && hello.bootId === older.bootId && hello.instance !== older.instance
  );
}
