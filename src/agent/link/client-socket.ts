import WebSocket = require('ws');
import { closeReason } from '../../shared/protocol/close-codes.js';
import { MAX_FRAME_BYTES } from '../../shared/protocol/limits.js';
import type { SessionTransport } from './session.js';

/** A peer that does not answer a close within this time is cut off, ms. */
const CLOSE_WITHIN_MS = 1_000;
/** Codes of ws for a connection that ended without a close frame, or with one that had no code. */
const ABNORMAL = 1_006;
const NO_STATUS = 1_005;

export interface SocketEvents {
  onOpen(): void;
  onText(text: string): void;
  onBinary(): void;
  /** Once, and last. 0: there was no connection, or it broke without a close frame. */
  onEnded(code: number, reason: string): void;
}

/*
 * ws, and not the runtime's own WebSocket: that one can't be cut off, so every dial to a server that accepts and says
 * nothing would leave a connection behind. And by require, which takes 13 MB of memory of its own in a process; an import
 * takes 19, the runtime's WebSocket 14.
 */

/** Dials an agent endpoint. Closing never waits for the other end, which may be dead. */
export class ClientSocket implements SessionTransport {
  readonly #ws: WebSocket;
  readonly #ended: SocketEvents['onEnded'];
  #closedWith: { readonly code: number; readonly reason: string } | undefined;
  #over = false;

  constructor(url: URL, events: SocketEvents) {
    let trouble = '';
    this.#ended = (code, reason) => events.onEnded(code, reason);
    this.#ws = new WebSocket(url, { perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES });
    this.#ws.on('open', () => events.onOpen());
    this.#ws.on('message', (data, isBinary) => {
      if (this.#over) return;
      if (isBinary) events.onBinary();
      // Text comes in one piece, as a Buffer.
      else if (Buffer.isBuffer(data)) events.onText(data.toString());
    });
    // 'close' follows every error.
    this.#ws.on('error', (error) => {
      trouble ||= inWords(error.message);
    });
    this.#ws.on('close', (code, reason) => {
      if (code === ABNORMAL || code === NO_STATUS) this.#end(0, trouble || 'the connection broke');
      else this.#end(code, reason.toString());
    });
  }

  send(data: string | Uint8Array): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(data);
  }

  close(code: number, reason: string): void {
    this.#closedWith ??= { code, reason };
    if (this.#ws.readyState === WebSocket.OPEN) {
      this.#ws.close(code, closeReason(reason));
      setTimeout(() => this.#ws.terminate(), CLOSE_WITHIN_MS).unref();
    } else {
      this.#ws.terminate();
    }
    queueMicrotask(() => this.#end(code, reason));
  }

  #end(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const first = this.#closedWith ?? { code, reason };
    this.#ended(first.code, first.reason);
  }
}

/** Statuses of a proxy that gets no answer from the server behind it. */
const GATEWAY = ['502', '503', '504'];

/** An HTTP server that refuses to become a WebSocket is, as a rule, the API at an address that lacks the right port. */
function inWords(trouble: string): string {
  const status = /^Unexpected server response: (\d+)$/.exec(trouble)?.[1];
  if (status === undefined) return trouble;
  if (GATEWAY.includes(status)) return `a proxy answers HTTP ${status}: it does not reach the server`;
  return (
    `HTTP ${status} is answered there: no agent can connect to this port; ` +
    "Servers must name the port of the server's [RPC] Listen (20090), not the API's (10090)"
  );
}
