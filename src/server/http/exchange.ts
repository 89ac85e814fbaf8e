import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Reply } from './reply.js';

const closedSignals = new WeakMap<Socket, AbortSignal>();

/** Aborted once the connection has closed. All its requests share it, so a listener is to be removed again. */
export function closedSignal(socket: Socket): AbortSignal {
  let signal = closedSignals.get(socket);
  if (!signal) {
    const controller = new AbortController();
    ({ signal } = controller);
    closedSignals.set(socket, signal);
    if (socket.destroyed) controller.abort();
    else socket.once('close', () => controller.abort());
  }
  return signal;
}

/** One request and its answer. */
export class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #ended: (status: number) => void;
  #open = true;

  /** `ended` is called once: with the status sent, or 0 if the caller left before it. */
  constructor(request: IncomingMessage, response: ServerResponse, ended: (status: number) => void) {
    this.#request = request;
    this.#response = response;
    this.#ended = ended;
    response.once('close', () => this.#end(0));
  }

  get callerLeft(): boolean {
    // The response's own event says nothing while an earlier one of the same connection is still to be sent.
    return !this.#open || !this.#request.socket.writable;
  }

  /** The caller has gone before its request was whole. */
  abandon(): void {
    this.#end(0);
  }

  /** Does nothing once the caller has left. `close`: the connection takes no further request. */
  reply(reply: Reply, close = false): void {
    if (!this.#open) return;
    if (this.callerLeft) return this.#end(0);
    const headers: Record<string, string> = { 'Content-Length': String(Buffer.byteLength(reply.body)) };
    if (reply.contentType !== undefined) headers['Content-Type'] = reply.contentType;
    if (close) headers['Connection'] = 'close';
    this.#response.writeHead(reply.status, { ...headers, ...reply.headers });
    this.#response.end(reply.body);
    this.#end(reply.status);
  }

  #end(status: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ended(status);
  }
}
