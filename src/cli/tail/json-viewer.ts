import { isUtf8 } from 'node:buffer';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import { HostLines } from './host-lines.js';
import type { Line } from './line-splitter.js';
import type { OutputStream } from './output-stream.js';
import type { ShownStatus, ShownTask, Viewer } from './viewer.js';

/** For programs: one JSON object a line on standard output, told apart by `type`. README.md lists them. */
export class JsonViewer implements Viewer {
  readonly #stdout: OutputStream;
  readonly #lines = new HostLines();

  constructor(stdout: OutputStream) {
    this.#stdout = stdout;
  }

  async task({ taskId, title, hosts }: ShownTask): Promise<void> {
    await this.#put({ type: 'task', task: taskId, title, hosts });
  }

  async output(host: string, stream: Stream, data: Uint8Array): Promise<void> {
    await this.#putLines(host, stream, this.#lines.push(host, stream, data));
  }

  async gap(host: string, stream: Stream, from: number, to: number): Promise<void> {
    await this.#flush(host, stream);
    await this.#put({ type: 'gap', host, stream, from, to });
  }

  async restarted(host: string): Promise<void> {
    await this.#flush(host, 'stdout');
    await this.#flush(host, 'stderr');
  }

  async status(host: string, { status, clock, exitCode, reason }: ShownStatus): Promise<void> {
    await this.#put({ type: 'status', host, status, clock, exitCode, reason });
  }

  async note(host: string | undefined, text: string): Promise<void> {
    await this.#put({ type: 'note', host: host ?? null, text });
  }

  async end(ok: boolean): Promise<void> {
    for (const { host, stream, line } of this.#lines.flushAll()) await this.#putLines(host, stream, [line]);
    await this.#put({ type: 'end', ok });
  }

  async #flush(host: string, stream: Stream): Promise<void> {
    const line = this.#lines.flush(host, stream);
    if (line) await this.#putLines(host, stream, [line]);
  }

  async #putLines(host: string, stream: Stream, lines: readonly Line[]): Promise<void> {
    if (lines.length > 0) await this.#stdout.write(lines.map((line) => lineJson(host, stream, line)).join(''));
  }

  async #put(event: object): Promise<void> {
    await this.#stdout.write(`${JSON.stringify(event)}\n`);
  }
}

/** `text` if the line is valid UTF-8, else `base64`; `ended` false where no newline followed. */
export function lineJson(host: string, stream: Stream, { bytes, ended }: Line): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const content = isUtf8(buffer) ? { text: buffer.toString() } : { base64: buffer.toString('base64') };
  return `${JSON.stringify({ type: 'line', host, stream, ...content, ended })}\n`;
}
