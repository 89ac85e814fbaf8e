import { encodeTailFrame } from '../../shared/protocol/tail-codec.js';
import type { OutputFrame } from '../../shared/protocol/agent-frames.js';
import type { TailServerFrame, TailStatusFrame, TailTaskFrame } from '../../shared/protocol/tail-frames.js';
import { ProtocolError } from '../../shared/errors.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import type { Positions } from './positions.js';
import { statusText } from './status-text.js';
import type { Viewer } from './viewer.js';

/**
 * Shows the frames of all connections of one tail, one after another: what was shown over an earlier connection is not
 * shown again, and credit goes back only for bytes that standard output has taken.
 */
export class FrameShower {
  readonly #viewer: Viewer;
  readonly #positions: Positions;
  readonly #shownStatus = new Map<string, string>();
  #hosts: ReadonlyMap<number, string> = new Map();
  #taskShown = false;
  /** bytes of stream that nobody could send, seen so far */
  #missing = false;

  constructor(viewer: Viewer, positions: Positions) {
    this.#viewer = viewer;
    this.#positions = positions;
  }

  /** True if some output was not to be had. */
  get incomplete(): boolean {
    return this.#missing;
  }

  /** Resolves with a frame to send back, or with undefined. Throws ProtocolError for a channel that no host has. */
  async show(frame: TailServerFrame): Promise<string | undefined> {
    switch (frame.t) {
      case 'task':
        await this.#task(frame);
        return undefined;
      case 'status':
        await this.#status(this.#host(frame.channel), frame);
        return undefined;
      case 'output':
        return await this.#output(this.#host(frame.channel), frame);
      case 'gap':
        await this.#gap(this.#host(frame.channel), frame.stream, frame.from, frame.to);
        return undefined;
      case 'note':
        await this.#viewer.note(this.#host(frame.channel), frame.text);
        return undefined;
      case 'end':
        await this.#viewer.end(frame.ok);
        return undefined;
      default:
        throw new Error(`unknown frame ${String(frame satisfies never)}`);
    }
  }

  async #task(frame: TailTaskFrame): Promise<void> {
    this.#hosts = new Map(frame.hosts.map(({ channel, host }) => [channel, host]));
    if (this.#taskShown) return;
    this.#taskShown = true;
    await this.#viewer.task({ taskId: frame.taskId, title: frame.title, hosts: [...this.#hosts.values()] });
  }

  async #status(host: string, frame: TailStatusFrame): Promise<void> {
    if (this.#positions.run(host, frame.clock)) await this.#viewer.restarted(host);
    // A new connection begins with the statuses that the old one had told already.
    const text = `${frame.clock} ${statusText(frame)}`;
    if (this.#shownStatus.get(host) === text) return;
    this.#shownStatus.set(host, text);
    await this.#viewer.status(host, frame);
  }

  async #output(host: string, frame: OutputFrame): Promise<string> {
    const fresh = this.#positions.advance(host, frame.stream, frame.offset, frame.data);
    if (fresh.missingBytes > 0) await this.#hole(host, frame.stream, frame.offset - fresh.missingBytes, frame.offset);
    if (fresh.data.length > 0) await this.#viewer.output(host, frame.stream, fresh.data);
    return encodeTailFrame({ t: 'credit', channel: frame.channel, bytes: frame.data.length });
  }

  async #gap(host: string, stream: OutputFrame['stream'], from: number, to: number): Promise<void> {
    if (this.#positions.skip(host, stream, to)) await this.#hole(host, stream, from, to);
  }

  async #hole(host: string, stream: OutputFrame['stream'], from: number, to: number): Promise<void> {
    this.#missing = true;
    await this.#viewer.gap(host, stream, from, to);
  }

  #host(channel: number): string {
    const host = this.#hosts.get(channel);
    if (host === undefined) throw new ProtocolError(CloseCode.badFrame, `no host has channel ${channel}`);
    return host;
  }
}
