import { Backoff } from '../../shared/backoff.js';
import type { Log } from '../../shared/log.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { AGENT_PATH, OPENING_TIMEOUT_MS } from '../../shared/protocol/limits.js';
import type { RunIndex } from './run-index.js';
import { Session, type AgentSelf, type SessionEvents } from './session.js';

/** After a refusal that only a person can lift, ms. */
const REFUSED = Object.freeze({ firstMs: 2_000, maxMs: 15_000 });
const BROKEN = Object.freeze({ firstMs: 400, maxMs: 4_000 });

/** A session that lasted so long was no refusal. */
const SETTLED_MS = 5_000;

/** What an operator does about a refusal; the reason itself comes from the other end. */
const REMEDIES: ReadonlyMap<number, string> = new Map<number, string>([
  [CloseCode.notAdmitted, 'if this machine was reinstalled, run on the server: ibex hosts forget HOST'],
  [CloseCode.hostTaken, 'give each machine a Host of its own in agentd.conf, or stop the other agentd'],
  [CloseCode.version, 'upgrade the older of agent and server'],
]);

export interface ServerLinkEvents extends SessionEvents {
  onClosed(session: Session): void;
}

/** Keeps a session with one server address: dials, beats, and dials again after every end until disposed. */
export class ServerLink implements Disposable {
  readonly #url: URL;
  readonly #self: AgentSelf;
  readonly #index: RunIndex;
  readonly #events: ServerLinkEvents;
  readonly #log: Log;
  readonly #broken = new Backoff(BROKEN);
  readonly #refused = new Backoff(REFUSED);
  #session: Session | undefined;
  #retry: NodeJS.Timeout | undefined;
  #disposed = false;
  #complained = '';
  /** since when the session is open */
  #readyMs: number | undefined;

  constructor(url: URL, self: AgentSelf, index: RunIndex, events: ServerLinkEvents, log: Log) {
    this.#url = new URL(AGENT_PATH, url);
    this.#self = self;
    this.#index = index;
    this.#events = events;
    this.#log = log.child({ server: url.host });
  }

  start(): void {
    if (this.#disposed) return;
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    const ended = (code: number, reason: string): void => {
      if (over) return;
      over = true;
      clearInterval(beats);
      clearTimeout(patience);
      this.#ended(session, code, reason);
    };
    let over = false;
    const session = new Session(
      this.#self,
      this.#index,
      {
        send: (data) => socket.send(data),
        close: (code, reason) => {
          // The other end may be dead: its answer to a close is not waited for.
          if (socket.readyState === WebSocket.OPEN) socket.close(code, reason.slice(0, 100));
          queueMicrotask(() => ended(code, reason));
        },
      },
      { onReady: (ready) => this.#ready(ready), onFrame: (from, frame) => this.#events.onFrame(from, frame) },
      performance.now(),
    );
    this.#session = session;
    const beats = setInterval(() => session.beat(performance.now()), this.#self.intervalMs);
    const patience = setTimeout(() => {
      if (!session.ready) session.close(CloseCode.silent, 'the server did not finish the opening');
    }, OPENING_TIMEOUT_MS);
    socket.addEventListener('open', () => session.open());
    socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
      if (typeof data === 'string') session.receive(data, performance.now());
      else session.close(CloseCode.badFrame, 'a server sends no binary frames');
    });
    socket.addEventListener('error', () => ended(0, 'no connection'));
    socket.addEventListener('close', ({ code, reason }) => ended(code, reason));
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearTimeout(this.#retry);
    // A WebSocket of this kind may not say 1001.
    this.#session?.close(CloseCode.normal, 'the agent is stopping');
  }

  #ready(session: Session): void {
    this.#broken.reset();
    this.#complained = '';
    this.#readyMs = performance.now();
    this.#log.info({ cluster: session.cluster, instance: session.server }, 'session open');
    this.#events.onReady(session);
  }

  #ended(session: Session, code: number, reason: string): void {
    const wasReady = this.#readyMs !== undefined;
    // One that is refused as soon as it works, again and again, must not come back at full speed.
    if (this.#readyMs !== undefined && performance.now() - this.#readyMs > SETTLED_MS) this.#refused.reset();
    this.#readyMs = undefined;
    session.close(CloseCode.normal, '');
    this.#events.onClosed(session);
    if (this.#disposed) return;
    const refused = isRefusal(code);
    this.#complain(wasReady, code, reason);
    this.#retry = setTimeout(() => this.start(), (refused ? this.#refused : this.#broken).nextMs());
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
