import type { AgentTextFrame, WatchFrame } from '../../src/shared/protocol/agent-frames.js';
import { encodeOutput } from '../../src/shared/protocol/binary-frames.js';
import { OUTPUT_CHUNK_BYTES } from '../../src/shared/protocol/limits.js';
import type { RunId } from '../../src/shared/run-key.js';
import { nowMs } from './wall-clock.js';

interface OpenWatch {
  readonly number: number;
  readonly follow: boolean;
  offset: number;
  credit: number;
}

/** A script that emulated agents understand: so many lines, each the wall clock when it was written, in ms. */
export function linesScript(lines: number, everyMs: number): string {
  return `# emulated: ${lines} lines, one every ${everyMs} ms\n`;
}

export function readLinesScript(script: string): { readonly lines: number; readonly everyMs: number } | undefined {
  const [, lines, everyMs] = /^# emulated: (\d+) lines, one every (\d+) ms$/m.exec(script) ?? [];
  return lines === undefined ? undefined : { lines: Number(lines), everyMs: Number(everyMs) };
}

/** The stdout of one emulated run and its watches, which keep to their credit. */
export class EmulatedOutput {
  readonly run: RunId;
  readonly #send: (frame: AgentTextFrame | Buffer) => void;
  readonly #watches = new Map<number, OpenWatch>();
  #written = Buffer.alloc(0);
  #ended = false;

  constructor(run: RunId, send: (frame: AgentTextFrame | Buffer) => void) {
    this.run = run;
    this.#send = send;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get written(): Buffer {
    return this.#written;
  }

  /** Writes lines, the first one at a random moment of the first interval, then calls back. */
  write(lines: number, everyMs: number, done: () => void): void {
    let left = lines;
    const line = (): void => {
      this.#written = Buffer.concat([this.#written, Buffer.from(`${nowMs().toFixed(3)}\n`)]);
      for (const watch of this.#watches.values()) this.#pump(watch);
      if (--left > 0) return;
      clearInterval(timer);
      this.#ended = true;
      done();
      for (const watch of this.#watches.values()) this.#pump(watch);
    };
    let timer = setTimeout(() => {
      timer = setInterval(line, everyMs);
      line();
    }, Math.random() * everyMs);
  }

  watch({ watch, stdoutFrom, follow, creditBytes }: WatchFrame): void {
    const from = stdoutFrom ?? this.#written.length;
    const offset = from < 0 ? Math.max(0, this.#written.length + from) : from;
    const opened = { number: watch, follow, offset, credit: creditBytes };
    this.#watches.set(watch, opened);
    this.#pump(opened);
  }

  credit(watch: number, bytes: number): void {
    const found = this.#watches.get(watch);
    if (!found) return;
    found.credit += bytes;
    this.#pump(found);
  }

  unwatch(watch: number): void {
    this.#watches.delete(watch);
  }

  #pump(watch: OpenWatch): void {
    while (watch.credit > 0 && watch.offset < this.#written.length) {
      const data = this.#written.subarray(watch.offset, watch.offset + Math.min(watch.credit, OUTPUT_CHUNK_BYTES));
      this.#send(encodeOutput({ channel: watch.number, stream: 'stdout', offset: watch.offset, data }));
      watch.offset += data.length;
      watch.credit -= data.length;
    }
    if (watch.offset < this.#written.length || (watch.follow && !this.#ended)) return;
    this.#watches.delete(watch.number);
    const outcome = this.#ended ? 'complete' : 'current';
    const bytes = { stdoutBytes: this.#written.length, stderrBytes: 0 };
    this.#send({ t: 'watch-end', watch: watch.number, outcome, ...bytes });
  }
}
