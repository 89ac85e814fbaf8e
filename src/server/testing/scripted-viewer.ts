import { parseBinaryFrame } from '../../shared/protocol/binary-frames.js';
import type { OutputFrame } from '../../shared/protocol/agent-frames.js';
import { TAIL_PATH } from '../../shared/protocol/limits.js';
import { encodeTailFrame, parseTailServerFrame } from '../../shared/protocol/tail-codec.js';
import type { TailFrame, TailServerFrame, TailViewerFrame } from '../../shared/protocol/tail-frames.js';
import { FrameQueue } from './frame-queue.js';
import { AUTHORIZATION } from './test-server.js';

/** A viewer's end of a tail session over a real WebSocket. It gives credit only when it is told to. */
export class ScriptedViewer implements Disposable {
  /** resolves when the session has ended */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  readonly #frames = new FrameQueue<TailServerFrame>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
      if (typeof data === 'string') this.#frames.push(parseTailServerFrame(data));
      else if (data instanceof ArrayBuffer) this.#frames.push(outputIn(new Uint8Array(data)));
    });
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
    });
  }

  static async open(port: number, headers: Record<string, string> = {}): Promise<ScriptedViewer> {
    // `headers` is the runtime's own addition to the WebSocket of browsers.
    const socket = new WebSocket(`ws://127.0.0.1:${port}${TAIL_PATH}`, {
      headers: { authorization: AUTHORIZATION, ...headers },
    });
    const viewer = new ScriptedViewer(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('refused')));
    });
    return viewer;
  }

  static async tail(port: number, taskId: number, fields: Partial<TailFrame> = {}): Promise<ScriptedViewer> {
    const viewer = await ScriptedViewer.open(port);
    viewer.send({ t: 'tail', versions: [1], taskId, hosts: [], from: [], ...fields });
    return viewer;
  }

  send(frame: TailViewerFrame): void {
    this.sendRaw(encodeTailFrame(frame));
  }

  sendRaw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  /** The next frame of a type; others stay for later. Rejects if the session ends first. */
  async next<T extends TailServerFrame['t']>(type: T): Promise<Extract<TailServerFrame, { readonly t: T }>> {
    const ended = this.closed.then(({ code, reason }) => {
      throw new Error(`closed with ${code} ${reason} before ${type} came`);
    });
    const wanted = (frame: TailServerFrame): frame is Extract<TailServerFrame, { readonly t: T }> => frame.t === type;
    // Whatever came before the end counts, also when both are there already.
    const frame = this.#frames.next(wanted);
    return await Promise.race([frame, ended]);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function outputIn(bytes: Uint8Array): OutputFrame {
  const frame = parseBinaryFrame(bytes);
  if (frame.t !== 'output') throw new Error('a server sends no results');
  return frame;
}
