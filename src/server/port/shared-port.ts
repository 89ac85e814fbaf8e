import type { Socket } from 'node:net';
import type { TemplatedApp } from 'uWebSockets.js';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import { adoptSocket } from '../net/uws.js';
import { FirstByte } from './first-byte.js';
import { descriptorOf, type SocketCalls } from './socket-calls.js';

/** Connections that have not said anything yet; of more than these the longest silent one is closed. */
const MAX_UNDECIDED = 2_048;
const TLS_HANDSHAKE = 0x16;
/** msgpack: an array of four, as every request of a legacy agent begins, in its short and its long forms */
const ARRAY_OF_FOUR = 0x94;
const ARRAY_16 = 0xdc;
const ARRAY_32 = 0xdd;

export interface PortParties {
  /** gets what speaks HTTP or TLS */
  readonly app: TemplatedApp;
  /** gets what speaks msgpack: still paused, nothing of it read */
  readonly legacy: (socket: Socket) => void;
}

/**
 * Tells the two kinds of agents on one port apart by the first byte that they send, without reading it. A WebSocket's
 * connection moves to uWS as a copy of its descriptor; what is neither kind is closed.
 */
export class SharedPort implements Disposable {
  readonly #calls: SocketCalls;
  readonly #parties: PortParties;
  readonly #log: Log;
  readonly #undecided: FirstByte;

  constructor(calls: SocketCalls, parties: PortParties, log: Log) {
    this.#calls = calls;
    this.#parties = parties;
    this.#log = log;
    this.#undecided = new FirstByte(calls, MAX_UNDECIDED);
  }

  accept(socket: Socket): void {
    this.#undecided.wait(socket, (byte) => this.#decide(socket, byte));
  }

  /** Closes what is undecided. */
  [Symbol.dispose](): void {
    this.#undecided[Symbol.dispose]();
  }

  #decide(socket: Socket, byte: number): void {
    if (byte === TLS_HANDSHAKE || isCapital(byte)) this.#moveToApp(socket);
    else if (byte === ARRAY_OF_FOUR || byte === ARRAY_16 || byte === ARRAY_32) this.#parties.legacy(socket);
    else socket.destroy();
  }

  #moveToApp(socket: Socket): void {
    const fd = descriptorOf(socket);
    // Node still owns its descriptor: its errors while closing concern nobody.
    socket.on('error', () => undefined);
    try {
      if (fd !== undefined) adoptSocket(this.#parties.app, this.#calls.duplicate(fd));
    } catch (error) {
      this.#log.error({ err: describeError(error) }, 'a connection could not be handed over');
    }
    socket.destroy();
  }
}

/** Every method of HTTP begins with one. */
function isCapital(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}
