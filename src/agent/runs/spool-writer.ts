import { closeSync, fdatasyncSync, fstatSync, openSync, writeFileSync, writeSync } from 'node:fs';

/** A stream is kept whole up to here, bytes. */
export const SPOOL_LIMIT_BYTES = 64 * 1024 * 1024;
/** Of a longer one, so much of its end is kept as well, bytes. */
export const SPOOL_TAIL_BYTES = 64 * 1024;

/**
 * Keeps a run's stream on disk: the first 64 MiB as they come, beyond that the last 64 KiB. Writes are synchronous:
 * a script that prints faster than the disk takes it is slowed by its own pipe. What the disk refuses is counted and
 * its end kept in memory; the script runs on.
 */
export class SpoolWriter {
  readonly #path: string;
  readonly #limitBytes: number;
  #fd: number | undefined;
  /** bytes on disk, from the beginning */
  #keptBytes: number;
  #totalBytes: number;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #diskFailed = false;

  /** Appends where the file has something already, as when an executor takes over. Throws if it can't be opened. */
  constructor(path: string, limitBytes = SPOOL_LIMIT_BYTES) {
    this.#path = path;
    this.#limitBytes = limitBytes;
    this.#fd = openSync(path, 'a', 0o600);
    this.#keptBytes = fstatSync(this.#fd).size;
    this.#totalBytes = this.#keptBytes;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** True if not every byte of the stream is on disk. */
  get truncated(): boolean {
    return this.#keptBytes < this.#totalBytes;
  }

  append(data: Uint8Array): void {
    const whole = this.#keptBytes === this.#totalBytes && !this.#diskFailed;
    const fits = whole ? Math.min(data.length, this.#limitBytes - this.#keptBytes) : 0;
    const written = fits > 0 ? this.#write(data.subarray(0, fits)) : 0;
    this.#keptBytes += written;
    this.#totalBytes += data.length;
    if (written < data.length) this.#keepTail(data.subarray(written));
  }

  /** No more will come: keeps the end of a stream that was too long. It can be read as a whole from now on. */
  finish(): void {
    if (!this.truncated) return;
    try {
      writeFileSync(`${this.#path}.tail`, this.#tailEnd(), { mode: 0o600 });
    } catch {
      // The disk refuses: what is lost is counted in totalBytes and visible as truncated.
    }
  }

  /** Makes what was written durable and closes the file. */
  close(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#fd = undefined;
    try {
      if (this.#keptBytes > 0) fdatasyncSync(fd);
    } catch {
      // As above; the outcome counts more than the last bytes on a broken disk.
    } finally {
      closeSync(fd);
    }
  }

  #write(data: Uint8Array): number {
    if (this.#fd === undefined) return 0;
    let written = 0;
    try {
      while (written < data.length) written += writeSync(this.#fd, data, written);
    } catch {
      this.#diskFailed = true;
    }
    return written;
  }

  #keepTail(data: Uint8Array): void {
    // Copied: the caller's buffer may be a small piece of a large one that would be kept alive.
    const chunk = Buffer.from(data.subarray(Math.max(0, data.length - SPOOL_TAIL_BYTES)));
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    for (
      let first = this.#tail[0];
      first && this.#tailBytes - first.length >= SPOOL_TAIL_BYTES;
      first = this.#tail[0]
    ) {
      this.#tail.shift();
      this.#tailBytes -= first.length;
    }
  }

  #tailEnd(): Buffer {
    const joined = Buffer.concat(this.#tail);
    return joined.subarray(Math.max(0, joined.length - SPOOL_TAIL_BYTES));
  }
}
