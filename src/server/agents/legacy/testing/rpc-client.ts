import { decodeMulti } from '@msgpack/msgpack';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeCall, type Plain } from './old-msgpack.js';

/** One connection of a legacy agent, a call at a time: for tests. */
export class RpcClient implements Disposable {
  readonly #socket: Socket;
  #seq = 0;
  #received = Buffer.alloc(0);
  #answered: ((answer: unknown) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#failed?.(new Error('the server closed the connection')));
  }

  /** Connects and pings. */
  static async open(port: number): Promise<RpcClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = new RpcClient(socket);
    if ((await client.call('Server.Ping', '')) !== 'pong') throw new Error('no pong');
    return client;
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Resolves with the result. Rejects if the answer has an error, or the connection ends first. */
  async call(method: string, param: Plain): Promise<unknown> {
    if (this.#socket.destroyed) throw new Error('the server closed the connection');
    const seq = this.#seq++;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
    });
    this.#socket.write(encodeCall(seq, method, param));
    const frame = await answer;
    if (!Array.isArray(frame) || frame[0] !== 1 || frame[1] !== seq) throw new Error(`not an answer to call ${seq}`);
    if (frame[2] !== null) throw new Error(`answered with the error ${String(frame[2])}`);
    return frame[3];
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    let frames: unknown[];
    try {
      frames = [...decodeMulti(this.#received)];
    } catch (error) {
      // The rest of the answer is still to come.
      if (error instanceof RangeError) return;
      throw error;
    }
    const first = this.#received[0];
    this.#received = Buffer.alloc(0);
    if (first !== 0x94) this.#failed?.(new Error('an answer of a form that agents refuse'));
    for (const frame of frames) this.#answered?.(frame);
  }
}
