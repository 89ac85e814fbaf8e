import { UserError } from '../../shared/errors.js';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { OutputStream } from './output-stream.js';
import type { ShownTask, Viewer } from './viewer.js';

/**
 * For files and pipes: the bytes of one host's stdout and stderr, exactly, each on its own stream. Only a hole in them
 * is told on standard error, since nothing else could show it.
 */
export class RawViewer implements Viewer {
  readonly #out: Readonly<Record<Stream, OutputStream>>;

  constructor(stdout: OutputStream, stderr: OutputStream) {
    this.#out = { stdout, stderr };
  }

  async task({ taskId, hosts }: ShownTask): Promise<void> {
    if (hosts.length === 1) return;
    throw new UserError(`task ${taskId} has ${hosts.length} hosts and --raw shows one: name it with --host`);
  }

  async output(_host: string, stream: Stream, data: Uint8Array): Promise<void> {
    await this.#out[stream].write(data);
  }

  async gap(host: string, stream: Stream, from: number, to: number): Promise<void> {
    await this.#out.stderr.write(`ibex: ${host}: ${to - from} bytes of ${stream} are missing (from byte ${from})\n`);
  }

  async restarted(): Promise<void> {}
  async status(): Promise<void> {}
  async note(): Promise<void> {}
  async end(): Promise<void> {}
}
