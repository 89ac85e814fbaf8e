import { decodeMulti } from '@msgpack/msgpack';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** How the bytes of a stream are cut into pieces that are written one by one. */
export type Cutting = 'whole' | 'byte by byte' | 'with half of the next';

const PIECE_OF_LONG_ONES = 1_009;
const LONG_BYTES = 4_096;

/** One connection on which ready-made bytes are sent, and answers are read in their order: for tests. */
export class RawConnection implements Disposable {
  readonly #socket: Socket;
  readonly #cutting: Cutting;
  #received = Buffer.alloc(0);
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
    this.#received = Buffer.concat([this.#received, bytes]);
    let answers: unknown[];
    try {
      answers = [...decodeMulti(this.#received)];
    } catch (error) {
      // The rest of the answer is still to come.
      if (error instanceof RangeError) return;
      throw error;
    }
    this.#received = Buffer.alloc(0);
    // Agents drop a connection over an array of four in a longer form.
    if (bytes[0] !== 0x94) this.#wanted?.reject(new Error('an answer of a form that agents refuse'));
    this.#answers.push(...answers);
    if (!this.#wanted) return;
    this.#wanted.resolve(this.#answers.shift());
    this.#wanted = undefined;
  }
}
