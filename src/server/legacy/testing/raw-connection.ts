import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ReceivedAnswers } from './received-answers.js';

/** How the bytes of a stream are cut into pieces that are written one by one. */
export type Cutting = 'whole' | 'byte by byte' | 'with half of the next';

const PIECE_OF_LONG_ONES = 1_009;
const LONG_BYTES = 4_096;

/** One connection on which ready-made bytes are sent, and answers are read in their order: for tests. */
export class RawConnection implements Disposable {
  readonly #socket: Socket;
  readonly #cutting: Cutting;
  readonly #received = new ReceivedAnswers();
  readonly #answers: unknown[] = [];
  #wanted: { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket, cutting: Cutting) {
    this.#socket = socket;
    this.#cutting = cutting;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#wanted?.reject(new Error('the server closed the connection')));
  }

  static async open(port: number, cutting: Cutting): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawConnection(socket, cutting);
  }

  send(bytes: Buffer): void {
    const piece = this.#cutting !== 'byte by byte' ? bytes.length : bytes.length > LONG_BYTES ? PIECE_OF_LONG_ONES : 1;
    for (let at = 0; at < bytes.length; at += piece) this.#socket.write(bytes.subarray(at, at + piece));
  }

  /** Sends, and is gone before any answer. */
  async sendAndLeave(bytes: Buffer): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.end(bytes, () => this.#socket.destroy());
    await closed;
  }

  async answer(): Promise<unknown> {
    const first = this.#answers.shift();
    if (first !== undefined) return first;
    if (this.#socket.destroyed) throw new Error('the server closed the connection');
    return await new Promise((resolve, reject) => (this.#wanted = { resolve, reject }));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    try {
      this.#answers.push(...this.#received.add(bytes));
    } catch (error) {
      this.#wanted?.reject(error instanceof Error ? error : new Error(String(error)));
      // Nobody may be waiting: whoever asks next must not get anything either.
      return void this.#socket.destroy();
    }
    if (!this.#wanted || this.#answers.length === 0) return;
    this.#wanted.resolve(this.#answers.shift());
    this.#wanted = undefined;
  }
}
