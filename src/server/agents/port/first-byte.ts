import type { Socket } from 'node:net';
import { descriptorOf, type SocketCalls } from './socket-calls.js';

/** A peer that has sent nothing by then is gone, ms. */
const PATIENCE_MS = 5_000;
const LONGEST_PAUSE_MS = 50;

/**
 * Connections whose first byte has not come yet: at most `limit` of them. For one more, the one that has been silent
 * longest is closed, because whoever means it speaks at once.
 */
export class FirstByte implements Disposable {
  readonly #calls: SocketCalls;
  readonly #limit: number;
  readonly #waiting = new Map<Socket, () => void>();

  constructor(calls: SocketCalls, limit: number) {
    this.#calls = calls;
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls back with the first byte of a paused connection, which stays unread. A silent connection is closed instead. */
  wait(socket: Socket, found: (byte: number) => void): void {
    const untilMs = performance.now() + PATIENCE_MS;
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(socket);
      socket.off('error', giveUp).off('close', stop);
    };
    const giveUp = (): void => {
      stop();
      socket.destroy();
    };
    const look = (pauseMs: number): void => {
      const fd = descriptorOf(socket);
      const byte = fd === undefined ? 'ended' : this.#calls.peek(fd);
      if (typeof byte === 'number') {
        stop();
        return found(byte);
      }
      if (byte === 'ended' || performance.now() > untilMs) return giveUp();
      timer = setTimeout(() => look(Math.min(LONGEST_PAUSE_MS, pauseMs * 2)), pauseMs);
    };
    if (this.#waiting.size >= this.#limit) this.#closeLongestSilent();
    this.#waiting.set(socket, giveUp);
    socket.on('error', giveUp).on('close', stop);
    look(1);
  }

  [Symbol.dispose](): void {
    for (const giveUp of this.#waiting.values()) giveUp();
  }

  #closeLongestSilent(): void {
    const oldest = this.#waiting.values().next();
    if (!oldest.done) oldest.value();
  }
}
