import { isUtf8 } from 'node:buffer';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import { isFinal } from '../../shared/task-states.js';
import { HostLines } from './host-lines.js';
import type { Line } from './line-splitter.js';
import type { OutputStream } from './output-stream.js';
import type { ShownAction, ShownGap, ShownStatus, ShownTask, Summary, Viewer } from './viewer.js';

/** For programs: one JSON object a line on standard output, told apart by `type`. README.md lists them. */
export class JsonViewer implements Viewer {
  readonly #stdout: OutputStream;
  readonly #lines = new HostLines(async (host, stream, lines) => {
    await this.#stdout.write(lines.map((line) => lineJson(host, stream, line)).join(''));
  });

  constructor(stdout: OutputStream) {
    this.#stdout = stdout;
  }

  async task({ taskId, title, hosts }: ShownTask): Promise<void> {
    await this.#put({ type: 'task', task: taskId, title, hosts });
  }

  async output(host: string, stream: Stream, data: Uint8Array): Promise<void> {
    await this.#lines.push(host, stream, data);
  }

  async gap(host: string, { stream, from, to, kept }: ShownGap): Promise<void> {
    await this.#lines.flush(host, [stream]);
    await this.#put({ type: 'gap', host, stream, from, to, kept });
  }

  async restarted(host: string): Promise<void> {
    await this.#lines.flush(host);
  }

  async status(host: string, { status, clock, exitCode, reason, startBeforeMs }: ShownStatus): Promise<void> {
    if (isFinal(status)) await this.#lines.flush(host);
    await this.#put({ type: 'status', host, status, clock, exitCode, reason, startBeforeMs });
  }

  async action({ action, cause, failed, tolerance, pausedAfter }: ShownAction): Promise<void> {
    await this.#put({ type: 'action', action, cause, failed, tolerance, pausedAfter });
  }

  async note(host: string | undefined, text: string): Promise<void> {
    await this.#put({ type: 'note', host: host ?? null, text });
  }

  async end({ ok, paused, counts, failed }: Summary): Promise<void> {
    await this.#lines.flushAll();
    await this.#put({ type: 'end', ok, paused, counts, failed });
  }

  async #put(event: object): Promise<void> {
    await this.#stdout.write(`${JSON.stringify(event)}\n`);
  }
}

/** `text` if the piece is valid UTF-8, else `base64`; `ended` false where no newline followed it. */
export function lineJson(host: string, stream: Stream, { bytes, ended }: Line): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const content = isUtf8(buffer) ? { text: buffer.toString() } : { base64: buffer.toString('base64') };
  return `${JSON.stringify({ type: 'line', host, stream, ...content, ended })}\n`;
}
