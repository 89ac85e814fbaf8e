import { join } from 'node:path';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import { RunFile } from '../runs/run-folder.js';
import { SpoolWriter, type SpoolSource } from '../runs/spool-writer.js';
import type { Outcome } from '../runs/outcome.js';

export type StreamLengths = Pick<Outcome, 'stdoutBytes' | 'stderrBytes' | 'stdoutTruncated' | 'stderrTruncated'>;

/** Both spools of one run. After finish() nothing is written any more: what comes later is read and thrown away. */
export class RunOutput {
  readonly #stdout: SpoolWriter;
  readonly #stderr: SpoolWriter;
  readonly #onGrew: () => void;
  #open = true;

  constructor(folder: string, onGrew: () => void) {
    this.#stdout = new SpoolWriter(join(folder, RunFile.stdout));
    this.#stderr = new SpoolWriter(join(folder, RunFile.stderr));
    this.#onGrew = onGrew;
  }

  stdout(data: Uint8Array): void {
    this.#append(this.#stdout, data);
  }

  /** Takes up to `mostBytes` of a stream from a pipe; returns how many it took, 0 if none are there now. */
  take(stream: Stream, source: SpoolSource, mostBytes: number): number {
    if (!this.#open) return source.read(Buffer.allocUnsafe(mostBytes));
    const spool = stream === 'stdout' ? this.#stdout : this.#stderr;
    const taken = spool.take(source, mostBytes);
    if (taken > 0) this.#onGrew();
    return taken;
  }

  /** The line that tells an operator why a run was refused, lost or could not start. */
  explain(why: string): void {
    this.#append(this.#stderr, Buffer.from(`ibex: ${why}\n`));
  }

  /** Ends both streams and tells their lengths; they can be read, but are not durable yet. */
  finish(): StreamLengths {
    this.#open = false;
    this.#stdout.finish();
    this.#stderr.finish();
    return {
      stdoutBytes: this.#stdout.totalBytes,
      stderrBytes: this.#stderr.totalBytes,
      stdoutTruncated: this.#stdout.truncated,
      stderrTruncated: this.#stderr.truncated,
    };
  }

  /** Makes both streams durable. */
  close(): void {
    this.#stdout.close();
    this.#stderr.close();
  }

  #append(spool: SpoolWriter, data: Uint8Array): void {
    if (!this.#open || data.length === 0) return;
    spool.append(data);
    this.#onGrew();
  }
}
