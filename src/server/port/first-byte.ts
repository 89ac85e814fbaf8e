import type { Socket } from 'node:net';
import { descriptorOf, type ReadableWatch, type SocketCalls } from './socket-calls.js';

/** A peer that sends nothing for so long is closed, ms. */
const PATIENCE_MS = 5_000;
const POLL_EVERY_MS = 5;

interface Silent {
  readonly socket: Socket;
  readonly untilMs: number;
  readonly found: (byte: number) => void;
  /** its end has come without our doing */
  readonly closed: () => void;
}

/**
 * Connections whose first byte has not come yet: at most `limit` of them. For one more, the one that has been silent
 * longest is closed, because whoever means it speaks at once. However many they are, looking at all of them is one
 * system call, so that the silent ones cost those that speak nothing.
 */
export class FirstByte implements Disposable {
  readonly #calls: SocketCalls;
  readonly #limit: number;
  readonly #patienceMs: number;
  readonly #watch: ReadableWatch;
  /** by descriptor, the one that has waited longest first */
  readonly #waiting = new Map<number, Silent>();
  #timer: NodeJS.Timeout | undefined;

  /** Throws if the system has no more descriptors. */
  constructor(calls: SocketCalls, limit: number, patienceMs = PATIENCE_MS) {
    this.#calls = calls;
    this.#limit = limit;
    this.#patienceMs = patienceMs;
    this.#watch = calls.watch();
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Calls back with the first byte of a paused connection, which stays unread. A silent connection is closed instead.
   */
  wait(socket: Socket, found: (byte: number) => void): void {
    const fd = descriptorOf(socket);
    const byte = fd === undefined ? 'ended' : this.#calls.peek(fd);
    if (typeof byte === 'number') return found(byte);
    if (fd === undefined || byte === 'ended') return void socket.destroy();
    if (this.#waiting.size >= this.#limit) this.#closeLongestSilent();
    try {
      this.#watch.add(fd);
    } catch {
      return void socket.destroy();
    }
    // A closed descriptor is no longer watched; its number may be another connection's by now.
    const closed = (): void => {
      if (this.#waiting.get(fd)?.socket === socket) this.#waiting.delete(fd);
      socket.destroy();
    };
    this.#waiting.set(fd, { socket, untilMs: performance.now() + this.#patienceMs, found, closed });
    socket.on('error', closed).on('close', closed);
    this.#timer ??= setInterval(() => this.#poll(), POLL_EVERY_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const fd of this.#waiting.keys()) this.#giveUp(fd);
    this.#watch[Symbol.dispose]();
  }

  #poll(): void {
    for (const fd of this.#watch.readable()) {
      const byte = this.#calls.peek(fd);
      if (typeof byte === 'number') this.#take(fd)?.found(byte);
      else if (byte === 'ended') this.#giveUp(fd);
    }
    const nowMs = performance.now();
    for (const [fd, { untilMs }] of this.#waiting) {
      if (untilMs > nowMs) break;
      this.#giveUp(fd);
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Ends the wait for a connection, which goes on. */
  #take(fd: number): Silent | undefined {
    const silent = this.#waiting.get(fd);
    if (!silent) return undefined;
    this.#waiting.delete(fd);
    this.#watch.delete(fd);
    silent.socket.off('error', silent.closed).off('close', silent.closed);
    return silent;
  }

  #giveUp(fd: number): void {
    this.#take(fd)?.socket.destroy();
  }

  #closeLongestSilent(): void {
    const oldest = this.#waiting.keys().next();
    if (!oldest.done) this.#giveUp(oldest.value);
  }
}
