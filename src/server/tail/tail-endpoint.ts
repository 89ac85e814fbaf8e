import type { HttpRequest, TemplatedApp, WebSocket } from 'uWebSockets.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { MAX_FRAME_BYTES, OPENING_TIMEOUT_MS, TAIL_PATH } from '../../shared/protocol/limits.js';
import type { BasicAuth } from '../http/basic-auth.js';
import { closeReason, MAX_BACKPRESSURE_BYTES, SendStatus } from '../uws.js';
import { TailSession, type TailParts } from './tail-session.js';
import type { ViewerSocket } from './viewer-socket.js';

/** Viewers at once; one more is refused with 503. */
const MAX_VIEWERS = 1_000;
/** A viewer that answers no ping for so long is gone, seconds. */
const IDLE_SECONDS = 32;

interface Connection {
  session: TailSession | undefined;
  socket: TailSocket | undefined;
  opening: NodeJS.Timeout | undefined;
}

/** The WebSocket endpoint of viewers on the HTTP app. To be made before the API is mounted on it. */
export class TailEndpoint implements Disposable {
  readonly #parts: TailParts;
  readonly #auth: BasicAuth;
  readonly #sessions = new Set<TailSession>();

  constructor(app: TemplatedApp, auth: BasicAuth, parts: TailParts) {
    this.#parts = parts;
    this.#auth = auth;
    this.#mount(app);
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session.close(CloseCode.goingAway, 'the server is stopping');
  }

  #mount(app: TemplatedApp): void {
    app.ws<Connection>(TAIL_PATH, {
      maxPayloadLength: MAX_FRAME_BYTES,
      maxBackpressure: MAX_BACKPRESSURE_BYTES,
      idleTimeout: IDLE_SECONDS,
      upgrade: (res, req, context) => {
        const refused = this.#refusal(req);
        if (refused !== undefined) {
          res.writeStatus(refused);
          if (refused.startsWith('401')) res.writeHeader('WWW-Authenticate', 'Basic realm="Authorization Required"');
          res.end('', true);
          return;
        }
        const connection: Connection = { session: undefined, socket: undefined, opening: undefined };
        res.upgrade(
          connection,
          req.getHeader('sec-websocket-key'),
          req.getHeader('sec-websocket-protocol'),
          req.getHeader('sec-websocket-extensions'),
          context,
        );
      },
      open: (ws) => this.#open(ws),
      message: (ws, message, isBinary) => {
        const { session } = ws.getUserData();
        if (isBinary) session?.receiveBinary();
        else session?.receiveText(Buffer.from(message).toString());
      },
      drain: (ws) => ws.getUserData().session?.drained(),
      close: (ws) => {
        const { session, socket, opening } = ws.getUserData();
        clearTimeout(opening);
        socket?.ended();
        if (!session) return;
        this.#sessions.delete(session);
        session[Symbol.dispose]();
      },
    });
  }

  /** The status line of a refusal. */
  #refusal(req: HttpRequest): string | undefined {
    // A page of another site can open a WebSocket here with the credentials that the browser keeps.
    const origin = req.getHeader('origin');
    if (origin !== '' && hostOf(origin) !== req.getHeader('host').toLowerCase()) return '403 Forbidden';
    if (this.#auth.user(req.getHeader('authorization')) === undefined) return '401 Unauthorized';
    if (this.#sessions.size >= MAX_VIEWERS) return '503 Service Unavailable';
    return undefined;
  }

  #open(ws: WebSocket<Connection>): void {
    const connection = ws.getUserData();
    const socket = new TailSocket(ws);
    const session = new TailSession(socket, this.#parts);
    connection.socket = socket;
    connection.session = session;
    connection.opening = setTimeout(() => {
      if (!session.asked) session.close(CloseCode.silent, 'no tail frame came');
    }, OPENING_TIMEOUT_MS);
    this.#sessions.add(session);
  }
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host.toLowerCase() : undefined;
}

class TailSocket implements ViewerSocket {
  #ws: WebSocket<Connection> | undefined;

  constructor(ws: WebSocket<Connection>) {
    this.#ws = ws;
  }

  send(frame: string | Uint8Array): boolean {
    return this.#ws === undefined || this.#ws.send(frame, typeof frame !== 'string') !== SendStatus.dropped;
  }

  bufferedBytes(): number {
    return this.#ws?.getBufferedAmount() ?? 0;
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
