import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AUTHORIZATION } from '../../testing/test-server.js';

export interface RawAnswer {
  readonly status: number;
  /** names in lower case */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection on which a test writes bytes as they are and reads answers one by one. */
export class RawConnection implements Disposable {
  /** resolves when the server has closed the connection */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #received = '';
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#wake?.();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true;
        this.#wake?.();
        resolve();
      });
    });
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next answer of those that were asked for. Rejects if the connection ends before it. */
  async answer({ toHead = false } = {}): Promise<RawAnswer> {
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end >= 0) {
        const [first = '', ...lines] = this.#received.slice(0, end).split('\r\n');
        const headers = Object.fromEntries(
          lines.map((line) => [
            line.slice(0, line.indexOf(':')).toLowerCase(),
            line.slice(line.indexOf(':') + 1).trim(),
          ]),
        );
        const status = Number(first.split(' ')[1]);
        const length = toHead || status < 200 ? 0 : Number(headers['content-length'] ?? 0);
        if (this.#received.length >= end + 4 + length) {
          const body = Buffer.from(this.#received.slice(end + 4, end + 4 + length), 'latin1').toString();
          this.#received = this.#received.slice(end + 4 + length);
          if (status !== 100) return { status, headers, body };
          continue;
        }
      }
      if (this.#ended) throw new Error(`closed after ${JSON.stringify(this.#received.slice(0, 200))}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** The head of a request with the right credentials; `lines` end in CR LF. */
export function head(method: string, target: string, lines = ''): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZATION}\r\n${lines}\r\n`;
}

export function post(body: string, lines = ''): string {
  return head('POST', '/ibex/v1/tasks', `${lines}Content-Length: ${Buffer.byteLength(body)}\r\n`) + body;
}

/** Writes a request on a connection of its own, and gives the answer to it. */
export async function ask(port: number, request: string): Promise<RawAnswer> {
  using connection = await RawConnection.open(port);
  connection.write(request);
  return await connection.answer({ toHead: request.startsWith('HEAD') });
}
