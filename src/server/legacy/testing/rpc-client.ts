import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeCall, type Plain } from './old-msgpack.js';
import { ReceivedAnswers } from './received-answers.js';

/** One connection of a legacy agent, a call at a time: for tests. */
export class RpcClient implements Disposable {
  readonly #socket: Socket;
  #seq = 0;
  readonly #received = new ReceivedAnswers();
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
    try {
      for (const answer of this.#received.add(bytes)) this.#answered?.(answer);
    } catch (error) {
      this.#failed?.(error instanceof Error ? error : new Error(String(error)));
      // Nobody may be waiting: the next call must fail.
      this.#socket.destroy();
    }
  }
}
