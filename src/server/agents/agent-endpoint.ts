import type { HttpRequest, TemplatedApp, WebSocket } from 'uWebSockets.js';
import { CloseCode, closeReason } from '../../shared/protocol/close-codes.js';
import { AGENT_PATH, MAX_FRAME_BYTES } from '../../shared/protocol/limits.js';
import { addressText, LONGEST_IDLE_SECONDS, MAX_BACKPRESSURE_BYTES, SendStatus } from '../net/uws.js';
import type { ClientAddress } from '../net/client-address.js';
import { AgentSession } from './agent-session.js';
import { HandshakeQueue } from './handshake-queue.js';
import type { AgentSocket, SessionHost } from './host-session.js';

const SWEEP_EVERY_MS = 500;

interface Connection {
  readonly address: string;
  /** set when the socket opens */
  session: AgentSession | undefined;
  socket: UwsAgentSocket | undefined;
}

/**
 * The WebSocket endpoint of agents on a uWS app: one session a connection, and one timer that looks for silence in all
 * of them. Disposing it closes every session.
 */
export class AgentEndpoint implements Disposable {
  readonly #server: SessionHost;
  readonly #client: ClientAddress;
  readonly #sessions = new Set<AgentSession>();
  readonly #handshakes: HandshakeQueue;
  readonly #sweeper: NodeJS.Timeout;
  #sweptMs: number;

  constructor(app: TemplatedApp, server: SessionHost, client: ClientAddress) {
    this.#server = server;
    this.#client = client;
    this.#sweptMs = server.monotonicMs();
    this.#handshakes = new HandshakeQueue(() => server.monotonicMs());
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_EVERY_MS);
    this.#mount(app);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
    for (const session of this.#sessions) session.close(CloseCode.goingAway, 'the server is stopping');
  }

  #mount(app: TemplatedApp): void {
    app.ws<Connection>(AGENT_PATH, {
      maxPayloadLength: MAX_FRAME_BYTES,
      maxBackpressure: MAX_BACKPRESSURE_BYTES,
      // Silence is found by the sweep; this only frees what is left of a connection whose peer has vanished.
      idleTimeout: LONGEST_IDLE_SECONDS,
      upgrade: (res, req, context) => {
        const connection: Connection = {
          address: this.#client.of(addressText(res.getRemoteAddressAsText()), forwardedFor(req)),
          session: undefined,
          socket: undefined,
        };
        res.upgrade(
          connection,
          req.getHeader('sec-websocket-key'),
          req.getHeader('sec-websocket-protocol'),
          req.getHeader('sec-websocket-extensions'),
          context,
        );
      },
      open: (ws) => {
        const connection = ws.getUserData();
        connection.socket = new UwsAgentSocket(ws, connection.address);
        connection.session = new AgentSession(connection.socket, this.#server, this.#handshakes);
        this.#sessions.add(connection.session);
      },
      message: (ws, message, isBinary) => {
        const { session } = ws.getUserData();
        if (isBinary) session?.receiveBinary(new Uint8Array(message));
        else session?.receiveText(Buffer.from(message).toString());
      },
      pong: (ws) => ws.getUserData().session?.pong(),
      close: (ws) => {
        const { session, socket } = ws.getUserData();
        socket?.ended();
        if (!session) return;
        this.#sessions.delete(session);
        session.socketClosed();
      },
    });
    app.any('/*', (res) => {
      res.writeStatus('404 Not Found').writeHeader('Content-Type', 'text/plain; charset=utf-8');
      res.end('404 page not found: agents connect here; the HTTP API is on another port', true);
    });
  }

  #sweep(): void {
    const nowMs = this.#server.monotonicMs();
    // After a stall of this process the sockets have not been read yet; what they hold must count first.
    const stalled = nowMs - this.#sweptMs > 3 * SWEEP_EVERY_MS;
    this.#sweptMs = nowMs;
    if (stalled) return;
    for (const session of this.#sessions) session.checkSilence(nowMs);
    this.#handshakes.start();
  }
}

/** All lines of the header: getHeader() returns the first one only, which the caller itself may have written. */
function forwardedFor(request: HttpRequest): string {
  const lines: string[] = [];
  request.forEach((name, value) => {
    if (name === 'x-forwarded-for') lines.push(value);
  });
  return lines.join();
}

class UwsAgentSocket implements AgentSocket {
  readonly address: string;
  #ws: WebSocket<Connection> | undefined;

  constructor(ws: WebSocket<Connection>, address: string) {
    this.#ws = ws;
    this.address = address;
  }

  send(frame: string | Uint8Array): boolean {
    return this.#ws === undefined || this.#ws.send(frame, false) !== SendStatus.dropped;
  }

  ping(): void {
    this.#ws?.ping();
  }

  close(code: number, reason: string): void {
    const ws = this.#ws;
    this.#ws = undefined;
    ws?.end(code, closeReason(reason));
  }

  /** uWS has closed the socket: it must not be touched any more. */
  ended(): void {
    this.#ws = undefined;
  }
}
