import { TAIL_PATH } from '../../shared/protocol/limits.js';
import type { ServerAddress } from '../api/server-address.js';

export interface SocketClosed {
  readonly code: number;
  readonly reason: string;
}

/**
 * One WebSocket to the tail endpoint. Messages wait here until they are read; the server sends no more output than it
 * has credit for, so what can wait is the credit of all hosts shown.
 */
export class TailSocket implements Disposable {
  readonly #socket: WebSocket;
  readonly #signal: AbortSignal;
  readonly #stop = () => this.#wake?.();
  readonly #messages: (string | Uint8Array)[] = [];
  #closed: SocketClosed | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: WebSocket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    signal.addEventListener('abort', this.#stop, { once: true });
    socket.addEventListener('message', (event) => {
      const data: unknown = event.data;
      if (typeof data === 'string') this.#messages.push(data);
      else if (data instanceof ArrayBuffer) this.#messages.push(new Uint8Array(data));
      this.#wake?.();
    });
    socket.addEventListener('close', ({ code, reason }) => {
      this.#closed = { code, reason };
      this.#wake?.();
    });
  }

  /** Resolves with an open socket, or undefined where none could be opened; the runtime's WebSocket does not say why. */
  static async open(server: ServerAddress, signal: AbortSignal): Promise<TailSocket | undefined> {
    const url = `${server.origin.replace(/^http/, 'ws')}${TAIL_PATH}`;
    // `headers` is the runtime's own addition to the WebSocket of browsers.
    const socket = new WebSocket(url, { headers: { authorization: server.authorization } });
    socket.binaryType = 'arraybuffer';
    const tailSocket = new TailSocket(socket, signal);
    return await new Promise((resolve) => {
      socket.addEventListener('open', () => resolve(tailSocket), { once: true });
      socket.addEventListener('error', () => resolve(undefined), { once: true });
      socket.addEventListener('close', () => resolve(undefined), { once: true });
    });
  }

  send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** The next message; how the socket was closed, once all messages are read; undefined when the signal aborts first. */
  async next(): Promise<string | Uint8Array | SocketClosed | undefined> {
    while (!this.#signal.aborted) {
      const message = this.#messages.shift() ?? this.#closed;
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#stop);
    this.#socket.close();
  }
}
