import { encodeTailFrame } from '../../shared/protocol/tail-codec.js';
import type { OutputFrame } from '../../shared/protocol/agent-frames.js';
import type {
  TailActionFrame,
  TailServerFrame,
  TailStatusFrame,
  TailTaskFrame,
} from '../../shared/protocol/tail-frames.js';
import { ProtocolError } from '../../shared/errors.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import type { Positions } from './positions.js';
import { Standing } from './standing.js';
import type { ShownGap, Summary, Viewer } from './viewer.js';

/**
 * Shows the frames of all connections of one tail, one after another: what was shown over an earlier connection is not
 * shown again, and credit goes back only for bytes that standard output has taken.
 */
export class FrameShower {
  readonly #viewer: Viewer;
  readonly #positions: Positions;
  readonly #standing = new Standing();
  /** what was last shown of each host's status, and of the task's action: a new connection begins with all of it again */
  readonly #shown = new Map<string | undefined, string>([[undefined, 'start']]);
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

  get paused(): boolean {
    return this.#standing.paused;
  }

  summary(ok: boolean): Summary {
    return this.#standing.summary(ok);
  }

  /** Resolves with a frame to send back, or with undefined. Throws ProtocolError for a channel that no host has. */
  async show(frame: TailServerFrame): Promise<string | undefined> {
    switch (frame.t) {
      case 'task':
        await this.#task(frame);
        return undefined;
      case 'run':
        await this.#run(this.#host(frame.channel), frame.clock);
        this.#standing.running(this.#host(frame.channel));
        return undefined;
      case 'action':
        await this.#action(frame);
        return undefined;
      case 'status':
        await this.#status(this.#host(frame.channel), frame);
        return undefined;
      case 'output':
        return await this.#output(this.#host(frame.channel), frame);
      case 'gap':
        await this.#gap(this.#host(frame.channel), frame);
        return undefined;
      case 'note':
        await this.#viewer.note(this.#host(frame.channel), frame.text);
        return undefined;
      case 'end':
        await this.#viewer.end(this.summary(frame.ok));
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

  async #run(host: string, clock: number): Promise<void> {
    if (!this.#positions.run(host, clock)) return;
    this.#standing.restarted(host);
    await this.#viewer.restarted(host);
  }

  async #status(host: string, frame: TailStatusFrame): Promise<void> {
    await this.#run(host, frame.clock);
    const { clock, status, exitCode, reason, startBeforeMs } = frame;
    if (!this.#isNew(host, [clock, status, exitCode, reason, startBeforeMs].join(' '))) return;
    this.#standing.status(host, frame);
    await this.#viewer.status(host, frame);
  }

  async #action(frame: TailActionFrame): Promise<void> {
    const { action, cause } = frame;
    this.#standing.action(frame);
    if (this.#isNew(undefined, cause === null ? action : `${action} ${cause}`)) await this.#viewer.action(frame);
  }

  #isNew(host: string | undefined, text: string): boolean {
    if (this.#shown.get(host) === text) return false;
    this.#shown.set(host, text);
    return true;
  }

  async #output(host: string, frame: OutputFrame): Promise<string> {
    const { stream, offset } = frame;
    const { data, missingBytes } = this.#positions.advance(host, stream, offset, frame.data);
    if (missingBytes > 0) await this.#hole(host, { stream, from: offset - missingBytes, to: offset, kept: false });
    if (data.length > 0) {
      this.#standing.output(host, stream, data);
      await this.#viewer.output(host, stream, data);
    }
    return encodeTailFrame({ t: 'credit', channel: frame.channel, bytes: frame.data.length });
  }

  async #gap(host: string, gap: ShownGap): Promise<void> {
    if (this.#positions.skip(host, gap.stream, gap.to)) await this.#hole(host, gap);
  }

  async #hole(host: string, gap: ShownGap): Promise<void> {
    this.#missing = true;
    await this.#viewer.gap(host, gap);
  }

  #host(channel: number): string {
    const host = this.#hosts.get(channel);
    if (host === undefined) throw new ProtocolError(CloseCode.badFrame, `no host has channel ${channel}`);
    return host;
  }
}
