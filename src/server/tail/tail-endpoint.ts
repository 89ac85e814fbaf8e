import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { MAX_FRAME_BYTES, OPENING_TIMEOUT_MS, TAIL_PATH } from '../../shared/protocol/limits.js';
import type { BasicAuth } from '../http/basic-auth.js';
import { parseTarget } from '../http/request.js';
import { OutputBuffers } from './output-buffers.js';
import { TailSession, type TailParts } from './tail-session.js';
import { ViewerConnection } from './viewer-connection.js';

/** Viewers at once; one more is refused with 503. */
const MAX_VIEWERS = 1_000;

/** The WebSocket endpoint of viewers, for the upgrades of an HTTP listener. */
export class TailEndpoint implements Disposable {
  readonly #parts: TailParts;
  readonly #auth: BasicAuth;
  readonly #sessions = new Set<TailSession>();
  readonly #buffers = new OutputBuffers();
  readonly #handshakes = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, clientTracking: false });

  constructor(auth: BasicAuth, parts: TailParts) {
    this.#parts = parts;
    this.#auth = auth;
  }

  /** True if a request asks for a viewer's WebSocket. */
  serves(request: IncomingMessage): boolean {
    return parseTarget(request.url ?? '').path === TAIL_PATH;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refused = this.#refusal(request);
    if (refused === undefined) this.#handshakes.handleUpgrade(request, socket, head, (ws) => this.#open(ws, socket));
    else refuse(socket, refused);
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session.close(CloseCode.goingAway, 'the server is stopping');
  }

  /** The status of a refusal. */
  #refusal({ headers }: IncomingMessage): number | undefined {
    // A page of another site can open a WebSocket here with the credentials that the browser keeps.
    const { origin, host = '', authorization = '' } = headers;
    if (origin !== undefined && hostOf(origin) !== host.toLowerCase()) return 403;
    if (this.#auth.user(authorization) === undefined) return 401;
    if (this.#sessions.size >= MAX_VIEWERS) return 503;
    return undefined;
  }

  #open(ws: WebSocket, socket: Duplex): void {
    const connection = new ViewerConnection(ws, this.#buffers);
    const session = new TailSession(connection, this.#parts);
    const opening = setTimeout(() => {
      if (!session.asked) session.close(CloseCode.silent, 'no tail frame came');
    }, OPENING_TIMEOUT_MS);
    this.#sessions.add(session);
    ws.on('message', (message: Buffer, isBinary) => {
      if (isBinary) session.receiveBinary();
      else session.receiveText(message.toString());
    });
    socket.on('drain', () => session.drained());
    ws.once('close', () => {
      clearTimeout(opening);
      connection[Symbol.dispose]();
      this.#sessions.delete(session);
      session[Symbol.dispose]();
    });
  }
}

function refuse(socket: Duplex, status: number): void {
  const challenge = status === 401 ? 'WWW-Authenticate: Basic realm="Authorization Required"\r\n' : '';
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${challenge}Content-Length: 0\r\nConnection: close\r\n\r\n`,
  );
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host.toLowerCase() : undefined;
}
