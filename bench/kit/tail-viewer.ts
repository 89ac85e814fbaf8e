import { WebSocket } from 'ws';
import { parseBinaryFrame } from '../../src/shared/protocol/binary-frames.js';
import { TAIL_PATH } from '../../src/shared/protocol/limits.js';
import { encodeTailFrame, parseTailServerFrame } from '../../src/shared/protocol/tail-codec.js';

export interface TailViewerOptions {
  readonly url: string;
  readonly taskId: number;
  readonly hosts?: readonly string[];
  /** false: it gives credit without end and reads nothing after the first frames */
  readonly reads?: boolean;
  /** `data` is gone when this returns */
  readonly onOutput?: (data: Uint8Array) => void;
}

/** A viewer without the command around it. `ended` resolves with true if all hosts succeeded, and rejects if cut off. */
export class TailViewer implements Disposable {
  readonly ended: Promise<boolean>;
  bytes = 0;
  /** of the first output, on performance.now()'s clock */
  firstMs: number | undefined;
  readonly #socket: WebSocket;
  readonly #options: TailViewerOptions;

  constructor(options: TailViewerOptions) {
    this.#options = options;
    const { url, taskId, hosts = [] } = options;
    const authorization = `Basic ${Buffer.from('ibex:ibex').toString('base64')}`;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${TAIL_PATH}`, {
      headers: { authorization },
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on('open', () => socket.send(encodeTailFrame({ t: 'tail', versions: [1], taskId, hosts, from: [] })));
    this.ended = new Promise((resolve, reject) => {
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) return this.#show(data);
        const frame = parseTailServerFrame(data.toString());
        if (frame.t === 'end') resolve(frame.ok);
      });
      socket.on('error', reject);
      socket.on('close', (code, reason) => reject(new Error(`the tail ended with ${code} ${reason.toString()}`)));
    });
    // A caller that does not wait for the end need not care how it came.
    this.ended.catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #show(message: Buffer): void {
    const frame = parseBinaryFrame(message);
    if (frame.t !== 'output') throw new Error(`a ${frame.t} frame in a tail`);
    this.firstMs ??= performance.now();
    this.bytes += frame.data.length;
    this.#options.onOutput?.(frame.data);
    if (this.#options.reads === false) {
      this.#socket.send(encodeTailFrame({ t: 'credit', channel: frame.channel, bytes: 2 ** 40 }));
      this.#socket.pause();
      return;
    }
    this.#socket.send(encodeTailFrame({ t: 'credit', channel: frame.channel, bytes: frame.data.length }));
  }
}
