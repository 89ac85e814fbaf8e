import { performance } from 'node:perf_hooks';
import { Backoff } from '../../shared/backoff.js';
import type { Log } from '../../shared/log.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { dial, type DialEvents } from './dial.js';
import type { RunIndex } from './run-index.js';
import type { AgentSelf, Session, SessionEvents } from './session.js';

/** Pauses after a refusal that only a person can lift. */
const REFUSED = Object.freeze({ firstMs: 2_000, maxMs: 15_000 });
const BROKEN = Object.freeze({ firstMs: 400, maxMs: 4_000 });
/** Pauses where another address leads to the same server process. */
const TWIN = Object.freeze({ firstMs: 10_000, maxMs: 300_000 });

/** A session that lasted so long was neither a refusal nor the flapping of a server that can't do its part, ms. */
const SETTLED_MS = 5_000;

/** Advice for the operator whose agent is refused; the server names the reason. */
const REMEDIES: ReadonlyMap<number, string> = new Map<number, string>([
  [CloseCode.notAdmitted, 'if this machine was reinstalled, run on the server: ibex hosts forget HOST'],
  [CloseCode.hostTaken, 'give each machine a Host of its own in agentd.conf, or stop the other agentd'],
  [CloseCode.replaced, 'another agentd uses a copy of this MetaDir; give each one its own, or stop the other'],
  [CloseCode.version, 'upgrade the older of agent and server'],
]);

export interface LinkEvents extends Omit<SessionEvents, 'onProved'> {
  onClosed(session: Session): void;
}

/** The parts that all links of an agent share. */
export interface LinkParts {
  readonly self: AgentSelf;
  readonly index: RunIndex;
  readonly events: LinkEvents;
  readonly instances: ServerInstances;
  readonly log: Log;
}

/** Keeps a session with one server address: dials, and dials again after every end until disposed. */
export class ServerLink implements Disposable {
  readonly url: URL;
  readonly #parts: LinkParts;
  readonly #log: Log;
  readonly #broken = new Backoff(BROKEN);
  readonly #refused = new Backoff(REFUSED);
  readonly #twin = new Backoff(TWIN);
  readonly #events: DialEvents;
  #session: Session | undefined;
  #retry: NodeJS.Timeout | undefined;
  #disposed = false;
  #complained = '';
  /** since when the session is open */
  #readyMs: number | undefined;
  /** since when there is none */
  #lostMs = performance.now();
  #isTwin = false;

  constructor(url: URL, parts: LinkParts) {
    this.url = url;
    this.#parts = parts;
    this.#log = parts.log.child({ server: url.host });
    this.#events = {
      onProved: (session) => {
        this.#isTwin = !parts.instances.claim(session.server, this);
        return !this.#isTwin;
      },
      onReady: (session) => this.#ready(session),
      onFrame: (session, frame) => parts.events.onFrame(session, frame),
      onEnded: (session, code, reason) => this.#ended(session, code, reason),
    };
  }

  /** For how long there has been no open session, ms; 0 while there is one, or one by way of another address. */
  lostForMs(): number {
    return this.#readyMs !== undefined || this.#isTwin ? 0 : performance.now() - this.#lostMs;
  }

  start(): void {
    if (this.#disposed) return;
    this.#isTwin = false;
    this.#session = dial(this.url, this.#parts.self, this.#parts.index, this.#events);
  }

  /** The server process that this link found taken is free again. */
  freed(): void {
    if (!this.#isTwin || this.#disposed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.start(), this.#broken.nextMs());
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearTimeout(this.#retry);
    this.#parts.instances.forget(this);
    this.#session?.close(CloseCode.normal, 'the agent is stopping, or has faster servers');
  }

  #ready(session: Session): void {
    this.#complained = '';
    this.#twin.reset();
    this.#readyMs = performance.now();
    this.#log.info({ cluster: session.cluster, instance: session.server }, 'session open');
    this.#parts.events.onReady(session);
  }

  #ended(session: Session, code: number, reason: string): void {
    const nowMs = performance.now();
    const wasReady = this.#readyMs !== undefined;
    // A session that ends as soon as it works, again and again, must not come back at full speed.
    if (this.#readyMs !== undefined && nowMs - this.#readyMs > SETTLED_MS) {
      this.#broken.reset();
      this.#refused.reset();
    }
    if (wasReady) this.#lostMs = nowMs;
    this.#readyMs = undefined;
    this.#parts.events.onClosed(session);
    this.#parts.instances.release(session.server, this);
    if (this.#disposed) return;
    if (this.#isTwin) this.#log.debug({ instance: session.server }, 'another address leads to the same server');
    else this.#complain(wasReady, code, reason);
    clearTimeout(this.#retry);
    const backoff = this.#isTwin ? this.#twin : isRefusal(code) ? this.#refused : this.#broken;
    this.#retry = setTimeout(() => this.start(), backoff.nextMs());
  }

  /** Once for each kind of trouble, not at every attempt. */
  #complain(wasReady: boolean, code: number, reason: string): void {
    const complaint = `${code} ${reason}`;
    if (this.#complained === complaint) return;
    this.#complained = complaint;
    const remedy = REMEDIES.get(code);
    const fields = { code, reason, ...(remedy === undefined ? {} : { remedy }) };
    if (wasReady) this.#log.warn(fields, 'session lost; connecting again');
    else if (isRefusal(code)) this.#log.error(fields, 'the server refuses this agent; trying again from time to time');
    else this.#log.warn(fields, 'cannot reach the server; trying again');
  }
}

function isRefusal(code: number): boolean {
  return REMEDIES.has(code) || code === CloseCode.badProof || code === CloseCode.badFrame;
}

/**
 * Knows which link has the session with each server process. Two addresses may lead to one process, which takes only one
 * session of an agent; the second link waits until the first one's session has ended.
 */
export class ServerInstances {
  readonly #holders = new Map<string, ServerLink>();
  /** the process that each link waits for */
  readonly #waiting = new Map<ServerLink, string>();

  /** Returns false if another link has the session with this process; `freed()` is called when that session ends. */
  claim(instance: string, link: ServerLink): boolean {
    const holder = this.#holders.get(instance) ?? link;
    if (holder === link) this.#holders.set(instance, link);
    else this.#waiting.set(link, instance);
    return holder === link;
  }

  release(instance: string, link: ServerLink): void {
    if (this.#holders.get(instance) !== link) return;
    this.#holders.delete(instance);
    for (const [other, wanted] of this.#waiting) {
      if (wanted !== instance) continue;
      this.#waiting.delete(other);
      other.freed();
    }
  }

  /** The link waits for nothing any more. */
  forget(link: ServerLink): void {
    this.#waiting.delete(link);
  }
}
