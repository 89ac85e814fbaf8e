import { UserError } from '../../shared/errors.js';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { OutputStream } from './output-stream.js';
import type { ShownAction, ShownGap, ShownTask, Viewer } from './viewer.js';
import { actionLines, gapText } from './words.js';

/**
 * For files and pipes: the bytes of one host's stdout and stderr, exactly, each on its own stream. Only a hole in them
 * and a pause are told on standard error, since nothing else could show them.
 */
export class RawViewer implements Viewer {
  readonly #out: Readonly<Record<Stream, OutputStream>>;
  #taskId = 0;

  constructor(stdout: OutputStream, stderr: OutputStream) {
    this.#out = { stdout, stderr };
  }

  async task({ taskId, hosts }: ShownTask): Promise<void> {
    this.#taskId = taskId;
    if (hosts.length === 1) return;
    throw new UserError(`task ${taskId} has ${hosts.length} hosts and --raw shows one: name it with --host`);
  }

  async output(_host: string, stream: Stream, data: Uint8Array): Promise<void> {
    await this.#out[stream].write(data);
  }

  async gap(host: string, gap: ShownGap): Promise<void> {
    await this.#say(gapText(host, this.#taskId, gap));
  }

  async action(action: ShownAction): Promise<void> {
    const [what] = actionLines(this.#taskId, action, () => '');
    if (action.action === 'pause') await this.#say(what ?? '');
  }

  async restarted(): Promise<void> {}
  async status(): Promise<void> {}
  async note(): Promise<void> {}
  async end(): Promise<void> {}

  async #say(text: string): Promise<void> {
    await this.#out.stderr.write(`ibex: ${text}\n`);
  }
}
