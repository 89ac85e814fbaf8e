import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { encodeOutput } from '../../../shared/protocol/binary-frames.js';
import { encodeTailFrame, parseTailViewerFrame } from '../../../shared/protocol/tail-codec.js';
import type { TailServerTextFrame, TailViewerFrame } from '../../../shared/protocol/tail-frames.js';
import type { ServerAddress } from '../../api/server-address.js';

/** One connection of a viewer, seen from a server that a test plays by hand. */
export class FakeTail {
  readonly #socket: WebSocket;
  readonly #frames: TailViewerFrame[] = [];
  #wake: (() => void) | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#frames.push(parseTailViewerFrame(data.toString()));
      this.#wake?.();
    });
  }

  /** The next frame of the viewer. */
  async next(): Promise<TailViewerFrame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) return frame;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  send(...frames: readonly TailServerTextFrame[]): void {
    for (const frame of frames) this.#socket.send(encodeTailFrame(frame));
  }

  output(channel: number, stream: 'stdout' | 'stderr', offset: number, text: string): void {
    this.#socket.send(encodeOutput({ channel, stream, offset, data: Buffer.from(text) }));
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** As if the server had been killed. */
  break(): void {
    this.#socket.terminate();
  }
}

/**
 * The tail endpoint over real sockets, with the server's side played by the test: only so can a connection break at a
 * chosen byte.
 */
export class FakeTailServer implements AsyncDisposable {
  readonly address: ServerAddress;
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #waiting: ((tail: FakeTail) => void)[] = [];
  readonly #arrived: FakeTail[] = [];

  private constructor(http: Server, port: number) {
    this.#http = http;
    this.address = { origin: `http://127.0.0.1:${port}`, user: 'ibex', authorization: 'Basic aWJleDppYmV4' };
    http.on('upgrade', (request: IncomingMessage, socket, head) => {
      if (request.headers.authorization !== this.address.authorization) {
        socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(new FakeTail(webSocket)));
    });
    http.on('request', (request: IncomingMessage, response) => {
      response.statusCode = request.headers.authorization === this.address.authorization ? 200 : 401;
      response.end('{"dat":{"list":[],"total":0},"err":""}');
    });
  }

  static async start(): Promise<FakeTailServer> {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const address = http.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new FakeTailServer(http, address.port);
  }

  /** The next connection. */
  async connection(): Promise<FakeTail> {
    return this.#arrived.shift() ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.closeAllConnections();
    if (!this.#http.listening) return;
    this.#http.close();
    await once(this.#http, 'close');
  }

  #accept(tail: FakeTail): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(tail);
    else this.#arrived.push(tail);
  }
}
