import type { WebSocket } from 'ws';
import type { OutputFrame } from '../../shared/protocol/agent-frames.js';
import { closeReason } from '../../shared/protocol/close-codes.js';
import { MAX_BACKPRESSURE_BYTES } from '../net/uws.js';
import type { OutputBuffers } from './output-buffers.js';
import type { ViewerSocket } from './tail-session.js';

/** A viewer that has shown no sign of life between two pings is gone. */
const PING_EVERY_MS = 16_000;
/** A viewer that does not read gets so long to take what is on its way when the server closes. */
const CLOSE_WITHIN_MS = 5_000;

/**
 * A viewer's WebSocket. What the viewer does not read waits in memory up to MAX_BACKPRESSURE_BYTES; frames beyond that
 * are dropped, which `send` tells. Disposed of once the socket has closed.
 */
export class ViewerConnection implements ViewerSocket, Disposable {
  readonly #ws: WebSocket;
  readonly #buffers: OutputBuffers;
  readonly #pings: NodeJS.Timeout;
  #alive = true;
  #closing: NodeJS.Timeout | undefined;

  constructor(ws: WebSocket, buffers: OutputBuffers) {
    this.#ws = ws;
    this.#buffers = buffers;
    const heard = (): void => {
      this.#alive = true;
    };
    ws.on('pong', heard);
    ws.on('message', heard);
    // 'close' follows every error and is what counts.
    ws.on('error', () => undefined);
    this.#pings = setInterval(() => this.#ping(), PING_EVERY_MS);
  }

  send(frame: string): boolean {
    if (!this.#isOpen) return true;
    if (this.#isFull) return false;
    this.#ws.send(frame);
    return true;
  }

  sendOutput(frame: Omit<OutputFrame, 't'>): boolean {
    if (!this.#isOpen) return true;
    if (this.#isFull) return false;
    const encoded = this.#buffers.encode(frame);
    this.#ws.send(encoded, (error) => {
      // After an error it is not certain that nobody reads the bytes any more.
      if (!error) this.#buffers.release(encoded);
    });
    return true;
  }

  bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  close(code: number, reason: string): void {
    if (this.#closing !== undefined || this.#ws.readyState === this.#ws.CLOSED) return;
    this.#closing = setTimeout(() => this.#ws.terminate(), CLOSE_WITHIN_MS).unref();
    this.#ws.close(code, closeReason(reason));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#pings);
    clearTimeout(this.#closing);
  }

  get #isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  get #isFull(): boolean {
    return this.#ws.bufferedAmount > MAX_BACKPRESSURE_BYTES;
  }

  #ping(): void {
    if (!this.#alive) return this.#ws.terminate();
    this.#alive = false;
    this.#ws.ping();
  }
}
