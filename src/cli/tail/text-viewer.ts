import type { Stream } from '../../shared/protocol/agent-frames.js';
import { HostLines } from './host-lines.js';
import type { Line } from './line-splitter.js';
import type { OutputStream } from './output-stream.js';
import { statusText } from './status-text.js';
import type { ShownStatus, ShownTask, Viewer } from './viewer.js';

/** Printed between host and line: `|` for the script's stdout, `!` for its stderr. */
const MARKS = Object.freeze({ stdout: '|', stderr: '!' } as const);

/**
 * For people: `HOST | line` on standard output; `HOST ! line` for the scripts' stderr and `ibex: ...` for all that is
 * not a script's on standard error. Lines of several hosts are never mixed within a line.
 */
export class TextViewer implements Viewer {
  readonly #out: Readonly<Record<Stream, OutputStream>>;
  readonly #lines = new HostLines();

  constructor(stdout: OutputStream, stderr: OutputStream) {
    this.#out = { stdout, stderr };
  }

  async task(task: ShownTask): Promise<void> {
    const hosts = task.hosts.length === 1 ? (task.hosts[0] ?? '') : `${task.hosts.length} hosts`;
    await this.#say(`task ${task.taskId} on ${hosts}: ${task.title}`);
  }

  async output(host: string, stream: Stream, data: Uint8Array): Promise<void> {
    await this.#print(host, stream, this.#lines.push(host, stream, data));
  }

  async gap(host: string, stream: Stream, from: number, to: number): Promise<void> {
    await this.#flush(host, stream);
    await this.#say(`${host}: ${to - from} bytes of ${stream} are missing here (from byte ${from})`);
  }

  async restarted(host: string): Promise<void> {
    await this.#flush(host, 'stdout');
    await this.#flush(host, 'stderr');
    await this.#say(`${host}: started again`);
  }

  async status(host: string, status: ShownStatus): Promise<void> {
    await this.#say(`${host}: ${statusText(status)}`);
  }

  async note(host: string | undefined, text: string): Promise<void> {
    await this.#say(host === undefined ? text : `${host}: ${text}`);
  }

  async end(): Promise<void> {
    for (const { host, stream, line } of this.#lines.flushAll()) await this.#print(host, stream, [line]);
  }

  async #flush(host: string, stream: Stream): Promise<void> {
    const line = this.#lines.flush(host, stream);
    if (line) await this.#print(host, stream, [line]);
  }

  async #print(host: string, stream: Stream, lines: readonly Line[]): Promise<void> {
    if (lines.length > 0) await this.#out[stream].write(prefixed(host, stream, lines));
  }

  async #say(text: string): Promise<void> {
    await this.#out.stderr.write(`ibex: ${text}\n`);
  }
}

/** Lines with host and mark before each, and a newline after each, as one piece: a write a line would be slow. */
export function prefixed(host: string, stream: Stream, lines: readonly Line[]): Uint8Array {
  const prefix = Buffer.from(`${host} ${MARKS[stream]} `);
  const newline = Buffer.from('\n');
  return Buffer.concat(lines.flatMap((line) => [prefix, line.bytes, newline]));
}
