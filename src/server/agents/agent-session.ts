import { describeError, errorStack, ProtocolError } from '../../shared/errors.js';
import { encodeFrame } from '../../shared/protocol/agent-codec.js';
import type {
  AgentTextFrame,
  HeartbeatFrame,
  HelloFrame,
  ProofFrame,
  RunsFrame,
  ServerFrame,
} from '../../shared/protocol/agent-frames.js';
import { parseBinaryFrame } from '../../shared/protocol/binary-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { SILENT_INTERVALS } from '../../shared/protocol/limits.js';
import type { RunId } from '../../shared/run-key.js';
import { StoreError, UnreadableTaskError } from '../store/store.js';
import { FrameReader } from './frame-reader.js';
import { HeldRuns } from './held-runs.js';
import type { HandshakeQueue } from './handshake-queue.js';
import { ResultIntake } from './result-intake.js';
import { ServerOpening } from './server-opening.js';
import type { Admission, AgentSocket, OpeningSession, SessionHost } from './host-session.js';
import { SessionLiveness } from './session-liveness.js';
import { SessionWatches, type Watch, type WatchRequest, type WatchSink } from './session-watches.js';

/** Time between a failure of the database and the end of the session that needed it, ms. */
const STORE_RETRY_MS = 1_000;
/** The same for a task that makes no sense, which somebody has to mend. */
const UNREADABLE_RETRY_MS = 60_000;

type Phase = 'hello' | 'challenge' | 'proof' | 'admission' | 'listing' | 'ready' | 'closed';

/**
 * One session with one agent, from the server's side, over a socket of a few members. The order of the opening is
 * hello, challenge, proof, welcome, runs; before the welcome nothing else is allowed. A frame that breaks the protocol
 * closes the session with the code of its error.
 */
export class AgentSession implements OpeningSession {
  readonly pushed = true;
  readonly beatMs = 0;
  readonly #socket: AgentSocket;
  readonly #server: SessionHost;
  readonly #handshakes: HandshakeQueue;
  readonly #liveness: SessionLiveness;
  readonly #frames = new FrameReader();
  readonly #held = new HeldRuns();
  readonly #results: ResultIntake;
  readonly #watches = new SessionWatches((frame) => this.#send(frame));
  #phase: Phase = 'hello';
  #opening: ServerOpening | undefined;
  #newStore = false;
  #assignsSent = 0;
  #overloaded = false;

  constructor(socket: AgentSocket, server: SessionHost, handshakes: HandshakeQueue) {
    this.#socket = socket;
    this.#server = server;
    this.#handshakes = handshakes;
    this.#liveness = new SessionLiveness(server.monotonicMs());
    this.#results = new ResultIntake({
      held: this.#held,
      server,
      ack: (frame) => this.#send(frame),
      failed: (error) => this.#fail(error),
      formerHosts: () => server.formerHosts(this),
    });
  }

  /** '' before the hello. */
  get host(): string {
    return this.#opening?.hello.host ?? '';
  }

  get hello(): HelloFrame | undefined {
    return this.#opening?.hello;
  }

  get address(): string {
    return this.#socket.address;
  }

  get ready(): boolean {
    return this.#phase === 'ready';
  }

  get closed(): boolean {
    return this.#phase === 'closed';
  }

  get heldRuns(): readonly RunId[] {
    return this.#held.runs;
  }

  receiveText(text: string): void {
    this.#guard(() => this.#handle(this.#frames.read(text)));
  }

  /** `bytes` may be reused by the caller afterwards. */
  receiveBinary(bytes: Uint8Array): void {
    this.#guard(() => {
      const frame = parseBinaryFrame(bytes);
      this.#expectWelcomed(frame.t);
      if (frame.t === 'output') this.#watches.output(frame);
      else this.#results.take(this.host, frame);
    });
  }

  pong(): void {
    this.#liveness.heard(this.#server.monotonicMs());
  }

  socketClosed(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#handshakes.forget(this);
    this.#server.closed(this);
    this.#watches.lose();
  }

  close(code: number, reason: string): void {
    if (this.#phase === 'closed') return;
    this.socketClosed();
    this.#socket.close(code, reason);
  }

  /** Closes a session whose opening takes too long, or whose agent is silent. To be called several times a second. */
  checkSilence(nowMs: number): void {
    if (this.#phase !== 'ready') {
      if (this.#liveness.openingOverdue(nowMs)) this.close(CloseCode.silent, 'the opening took too long');
      return;
    }
    const silentMs = this.#liveness.silence(nowMs);
    if (silentMs === undefined) return;
    this.#server.log.warn({ ...this.#who, silentMs }, 'agent is silent, its session is closed');
    this.close(CloseCode.silent, `nothing heard for ${silentMs} ms`);
  }

  /** Resolves with true as soon as the agent is heard, with false if it is silent for so long or the session ends. */
  async probe(withinMs: number): Promise<boolean> {
    if (this.closed) return false;
    const heard = this.#liveness.nextHeard(withinMs);
    this.#socket.ping();
    return (await heard) && !this.closed;
  }

  /** `frame`: an assign frame, encoded once for all hosts that get it. */
  assign(frame: Uint8Array): void {
    this.#assignsSent++;
    this.#sendEncoded(frame);
  }

  kill({ taskId, clock }: RunId): void {
    this.#send({ t: 'kill', taskId, clock });
  }

  holds(run: RunId): boolean {
    return this.#held.has(run);
  }

  /** Only for a session that is ready. */
  watch(request: WatchRequest, sink: WatchSink): Watch {
    return this.#watches.start(request, sink);
  }

  #handle(frame: AgentTextFrame): void {
    if (frame.t === 'hello') return this.#hello(frame);
    if (frame.t === 'proof') return this.#proof(frame);
    this.#expectWelcomed(frame.t);
    switch (frame.t) {
      case 'runs':
        return this.#runs(frame);
      case 'heartbeat':
        return this.#heartbeat(frame);
      case 'accepted':
        return this.#held.add(frame);
      case 'started': {
        const { taskId, clock, startedMs } = frame;
        this.#held.add(frame);
        return this.#server.events.runStarted(this.host, { taskId, clock }, startedMs);
      }
      case 'watch-end':
        return this.#watches.end(frame);
      default:
        frame satisfies never;
    }
  }

  #hello(frame: HelloFrame): void {
    this.#expect('hello', frame.t);
    const opening = new ServerOpening(frame, this.#server.cluster);
    this.#opening = opening;
    this.#phase = 'challenge';
    this.#handshakes.challenge(this, () =>
      this.#after(opening.challenge(this.#server.instance), (challenge) => {
        this.#phase = 'proof';
        this.#send(challenge);
      }),
    );
  }

  #proof(frame: ProofFrame): void {
    this.#expect('proof', frame.t);
    const opening = this.#opening;
    if (!opening) return;
    this.#phase = 'admission';
    this.#handshakes.check(this, () =>
      this.#after(opening.check(frame), () => {
        void this.#after(this.#server.admit(this, opening.hello), (admission) => this.#admitted(admission));
      }),
    );
  }

  #admitted(admission: Admission): void {
    if (!admission.admitted) return this.close(admission.closeCode, admission.why);
    this.#newStore = admission.newStore;
    this.#phase = 'listing';
    this.#send({ t: 'welcome', silentIntervals: SILENT_INTERVALS });
  }

  #runs(frame: RunsFrame): void {
    const runs = this.#held.list(frame);
    if (!runs) return;
    if (this.#phase === 'listing') {
      this.#phase = 'ready';
      this.#server.ready(this);
    }
    const newStore = this.#newStore;
    this.#newStore = false;
    this.#server.events.agentListed(this.host, runs, newStore);
  }

  #heartbeat(frame: HeartbeatFrame): void {
    this.#liveness.beat(frame.intervalMs);
    // Runs that were assigned after this beat was written are no difference.
    const comparable = this.#phase === 'ready' && frame.assigns === this.#assignsSent;
    if (comparable && this.#held.differs(frame, this.#server.events.expectedRuns(this.host))) this.#send({ t: 'list' });
    if (this.#liveness.aliveDue(this.#server.monotonicMs())) this.#send({ t: 'alive' });
  }

  #guard(handle: () => void): void {
    if (this.#phase === 'closed') return;
    this.#liveness.heard(this.#server.monotonicMs());
    try {
      handle();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Goes on with what the work brings, unless the session has ended by then. */
  #after<T>(work: Promise<T>, next: (result: T) => void): Promise<void> {
    const goOn = (result: T): void => (this.closed ? undefined : next(result));
    return work.then(goOn).catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (this.closed) return;
    if (error instanceof ProtocolError) {
      this.#server.log.warn({ ...this.#who, code: error.closeCode, why: error.message }, 'agent broke the protocol');
      return this.close(error.closeCode, error.message);
    }
    const end = (): void => this.close(CloseCode.internal, 'the server could not do its part; try again');
    // The reader of the task has logged it. The task's hosts are many, and would all come back every second.
    if (error instanceof UnreadableTaskError) return void setTimeout(end, UNREADABLE_RETRY_MS).unref();
    const ofDatabase = error instanceof StoreError;
    const err = ofDatabase ? describeError(error) : errorStack(error);
    this.#server.log.error({ ...this.#who, err }, ofDatabase ? 'database failure' : 'session failure');
    // An agent sends its results again on its next session; a database that fails gets a pause until then.
    if (ofDatabase) setTimeout(end, STORE_RETRY_MS).unref();
    else end();
  }

  get #who(): { readonly host: string; readonly address: string } {
    return { host: this.host, address: this.address };
  }

  #send(frame: ServerFrame): void {
    this.#sendEncoded(encodeFrame(frame));
  }

  #sendEncoded(frame: string | Uint8Array): void {
    if (this.#phase === 'closed') return;
    this.#liveness.sent(this.#server.monotonicMs());
    if (this.#socket.send(frame) || this.#overloaded) return;
    this.#overloaded = true;
    this.#server.log.warn(this.#who, 'agent does not read, its session is closed');
    // A little later: the caller that sends just now must not find its watch or result lost before it has it.
    queueMicrotask(() => this.close(CloseCode.overload, 'frames were lost because the agent does not read'));
  }

  #expect(phase: Phase, frame: string): void {
    if (this.#phase !== phase) throw new ProtocolError(CloseCode.badFrame, `${frame}: not expected now`);
  }

  #expectWelcomed(frame: string): void {
    if (this.#phase === 'listing' || this.#phase === 'ready') return;
    throw new ProtocolError(CloseCode.badFrame, `${frame}: not expected before the welcome`);
  }
}
