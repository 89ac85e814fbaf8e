import { randomBytes } from 'node:crypto';
import { ProtocolError } from '../../shared/errors.js';
import { encodeFrame, parseServerFrame } from '../../shared/protocol/agent-codec.js';
import type { AgentTextFrame, ChallengeFrame, ServerFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { AGENT_VERSIONS, MIN_SILENCE_MS, RUNS_PER_FRAME } from '../../shared/protocol/limits.js';
import { checkProof, NONCE_BYTES, prove, type Identity, type Opening } from '../../shared/protocol/opening.js';
import type { RunIndex } from './run-index.js';

/** The agent's identity, and the servers' keys that it trusts. */
export interface AgentSelf {
  readonly host: string;
  readonly version: string;
  readonly bootId: string;
  readonly instance: string;
  readonly storeId: string;
  readonly identity: Identity;
  readonly intervalMs: number;
  serverKey(cluster: string): string | undefined;
  pinServerKey(cluster: string, key: string): void;
}

/** The part of a WebSocket that a session needs. */
export interface SessionTransport {
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

type Steady = Exclude<ServerFrame, { readonly t: 'challenge' | 'welcome' | 'list' | 'alive' }>;

export interface SessionEvents {
  /** The server has proved its key. False: this session is not wanted, and ends before the agent proves anything. */
  onProved(session: Session): boolean;
  /** the opening is done and the runs were listed */
  onReady(session: Session): void;
  onFrame(session: Session, frame: Steady): void;
}

type Phase = 'challenge' | 'welcome' | 'ready' | 'closed';

/**
 * The agent's side of one session with one server: opening, heartbeats, silence. It knows neither sockets nor timers; its
 * owner feeds it texts and calls beat() once an interval.
 */
export class Session {
  readonly #self: AgentSelf;
  readonly #index: RunIndex;
  readonly #socket: SessionTransport;
  readonly #events: SessionEvents;
  readonly #nonce = randomBytes(NONCE_BYTES).toString('base64url');
  #phase: Phase = 'challenge';
  #cluster = '';
  #server = '';
  #silentMs: number;
  #assigns = 0;
  #lastHeardMs: number;
  #lastBeatMs: number;

  constructor(self: AgentSelf, index: RunIndex, socket: SessionTransport, events: SessionEvents, nowMs: number) {
    this.#self = self;
    this.#index = index;
    this.#socket = socket;
    this.#events = events;
    this.#silentMs = 0;
    this.#lastHeardMs = nowMs;
    this.#lastBeatMs = nowMs;
  }

  /** First 8 characters of the cluster's id; '' before the challenge. */
  get cluster8(): string {
    return this.#cluster.slice(0, 8);
  }

  get cluster(): string {
    return this.#cluster;
  }

  /** Instance of the server process at the other end. */
  get server(): string {
    return this.#server;
  }

  get ready(): boolean {
    return this.#phase === 'ready';
  }

  open(): void {
    const { host, version, bootId, instance, storeId, identity } = this.#self;
    const who = { host, agent: version, bootId, instance, storeId, key: identity.publicKey };
    this.send({ t: 'hello', versions: [...AGENT_VERSIONS], ...who, nonce: this.#nonce });
  }

  send(frame: AgentTextFrame): void {
    if (this.#phase !== 'closed') this.#socket.send(encodeFrame(frame));
  }

  sendBinary(frame: Uint8Array): void {
    if (this.#phase !== 'closed') this.#socket.send(frame);
  }

  receive(text: string, nowMs: number): void {
    if (this.#phase === 'closed') return;
    this.#lastHeardMs = nowMs;
    try {
      this.#handle(parseServerFrame(text));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close(error.closeCode, error.message);
    }
  }

  /** Sends a heartbeat, and gives up a server that has been silent for too long. Call it once an interval. */
  beat(nowMs: number): void {
    this.checkSilence(nowMs);
    this.#lastBeatMs = nowMs;
    if (this.#phase === 'ready') this.#sendBeat();
  }

  /** Returns for how much longer the server may be silent, ms; infinite before the session is open. */
  patienceLeftMs(nowMs: number): number {
    return this.#phase === 'ready' ? Math.max(0, this.#lastHeardMs + this.#silentMs - nowMs) : Infinity;
  }

  /** Gives up a server that has been silent for too long. */
  checkSilence(nowMs: number): void {
    if (this.#phase !== 'ready') return;
    const lateMs = nowMs - this.#lastBeatMs - this.#self.intervalMs;
    // This process was stopped or starved for longer than a beat: what the server sent meanwhile is still unread.
    if (lateMs > this.#self.intervalMs) this.#lastHeardMs = nowMs;
    if (nowMs - this.#lastHeardMs < this.#silentMs) return;
    this.close(CloseCode.silent, `the server said nothing for ${this.#silentMs} ms`);
  }

  close(code: number, reason: string): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#socket.close(code, reason);
  }

  #handle(frame: ServerFrame): void {
    switch (frame.t) {
      case 'challenge':
        this.#expect('challenge', frame.t);
        return this.#answer(frame);
      case 'welcome':
        this.#expect('welcome', frame.t);
        this.#phase = 'ready';
        this.#silentMs = Math.max(MIN_SILENCE_MS, frame.silentIntervals * this.#self.intervalMs);
        this.#listRuns();
        // The server learns the interval, and with it how long it may miss this agent.
        this.#sendBeat();
        return this.#events.onReady(this);
      case 'list':
        this.#expect('ready', frame.t);
        return this.#listRuns();
      case 'alive':
        return this.#expect('ready', frame.t);
      default:
        this.#expect('ready', frame.t);
        if (frame.t === 'assign') this.#assigns++;
        return this.#events.onFrame(this, frame);
    }
  }

  #answer(frame: ChallengeFrame): void {
    if (!AGENT_VERSIONS.some((version) => version === frame.version)) {
      throw new ProtocolError(CloseCode.version, `the server chose version ${frame.version}, which was not offered`);
    }
    const opening: Opening = {
      version: frame.version,
      host: this.#self.host,
      cluster: frame.cluster,
      agentKey: this.#self.identity.publicKey,
      agentNonce: this.#nonce,
      serverKey: frame.key,
      serverNonce: frame.nonce,
    };
    if (!checkProof('server', opening, Buffer.from(frame.proof, 'base64url'))) {
      throw new ProtocolError(CloseCode.badProof, 'the server does not prove its key');
    }
    this.#trust(frame.cluster, frame.key);
    this.#cluster = frame.cluster;
    this.#server = frame.instance;
    if (!this.#events.onProved(this)) return this.close(CloseCode.normal, 'this session is not wanted');
    this.#phase = 'welcome';
    this.send({ t: 'proof', proof: prove('agent', opening, this.#self.identity) });
  }

  #trust(cluster: string, key: string): void {
    const pinned = this.#self.serverKey(cluster);
    if (pinned === undefined) this.#self.pinServerKey(cluster, key);
    else if (pinned !== key) {
      throw new ProtocolError(
        CloseCode.notAdmitted,
        `the server of cluster ${cluster} shows another key than before; if that is right, remove the entry of this cluster from servers.json in MetaDir`,
      );
    }
  }

  #listRuns(): void {
    const runs = this.#index.listFor(this.cluster8);
    let from = 0;
    do {
      const part = runs.slice(from, from + RUNS_PER_FRAME);
      from += RUNS_PER_FRAME;
      this.send({ t: 'runs', runs: part, last: from >= runs.length });
    } while (from < runs.length);
  }

  #sendBeat(): void {
    const { runs, digest } = this.#index.current(this.cluster8);
    this.send({ t: 'heartbeat', assigns: this.#assigns, runs, digest, intervalMs: this.#self.intervalMs });
  }

  #expect(phase: Phase, frame: string): void {
    if (this.#phase !== phase) throw new ProtocolError(CloseCode.badFrame, `${frame} is not expected now`);
  }
}
