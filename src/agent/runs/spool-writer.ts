import {
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { errorCode } from '../../shared/errors.js';

/** A stream is kept whole up to here, bytes. */
export const SPOOL_LIMIT_BYTES = 80 * 1024 * 1024;
/** The end of a longer stream is kept as well up to here, bytes. */
export const SPOOL_TAIL_BYTES = 64 * 1024;

/** A source whose bytes can go to a file without passing through this process. */
export interface SpoolSource {
  /** Moves bytes to a position of a file; returns how many. Throws what the file refuses with; nothing is lost then. */
  moveTo(file: number, position: number, mostBytes: number): number;
  /** Reads what is there now; returns how many bytes. */
  read(into: Uint8Array): number;
}

const READ_BYTES = 64 * 1024;
const MODE = 0o600;
/** Mode of a spool that ends before its stream does: a full disk that takes no byte still takes a new mode. */
const CUT_MODE = 0o700;

/**
 * Keeps a run's stream on disk: the first 80 MiB as they come, beyond that the last 64 KiB. Writes are synchronous:
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
  /** the stream was, or may have been, longer than what its last writer left */
  readonly #resumedCut: boolean;

  /**
   * Appends where the file has something already, as when an executor takes over. A file that can't be opened is a
   * disk that refuses.
   */
  constructor(path: string, limitBytes = SPOOL_LIMIT_BYTES) {
    this.#path = path;
    this.#limitBytes = limitBytes;
    this.#fd = openSpool(path);
    this.#diskFailed = this.#fd === undefined;
    const { size, mode } = this.#fd === undefined ? { size: 0, mode: MODE } : fstatSync(this.#fd);
    this.#keptBytes = size;
    this.#totalBytes = size;
    this.#resumedCut = size >= limitBytes || (mode & 0o777) === CUT_MODE;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Tells whether bytes of the stream are missing on disk. */
  get truncated(): boolean {
    return this.#keptBytes < this.#totalBytes || this.#resumedCut;
  }

  /**
   * Takes up to so many bytes from a source; returns how many, 0 if there are none now. As long as they are kept, they
   * go straight to the file: were they read first, a kill of this process could lose what it holds.
   */
  take(source: SpoolSource, mostBytes: number): number {
    const room = Math.min(mostBytes, this.#limitBytes - this.#keptBytes);
    if (this.#isWhole() && room > 0 && this.#fd !== undefined) {
      try {
        const moved = source.moveTo(this.#fd, this.#keptBytes, room);
        this.#keptBytes += moved;
        this.#totalBytes += moved;
        return moved;
      } catch {
        this.#refused();
      }
    }
    const buffer = Buffer.allocUnsafe(Math.min(mostBytes, READ_BYTES));
    const length = source.read(buffer);
    this.append(buffer.subarray(0, length));
    return length;
  }

  append(data: Uint8Array): void {
    const fits = this.#isWhole() ? Math.min(data.length, this.#limitBytes - this.#keptBytes) : 0;
    const written = fits > 0 ? this.#write(data.subarray(0, fits)) : 0;
    this.#keptBytes += written;
    this.#totalBytes += data.length;
    if (written < data.length) this.#keepTail(data.subarray(written));
  }

  /** Ends the stream, and writes the kept end of one that was too long. Its readers have all of it from now on. */
  finish(): void {
    if (this.#keptBytes === this.#totalBytes) return;
    try {
      writeFileSync(`${this.#path}.tail`, this.#tailEnd(), { mode: MODE });
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
      // The outcome counts more than the last bytes on a broken disk.
    } finally {
      closeSync(fd);
    }
  }

  #isWhole(): boolean {
    return this.#keptBytes === this.#totalBytes && !this.#diskFailed && !this.#resumedCut;
  }

  /** Marks the spool as cut: an executor that takes over must not append right behind what is there. */
  #refused(): void {
    this.#diskFailed = true;
    if (this.#fd === undefined) return;
    try {
      fchmodSync(this.#fd, CUT_MODE);
    } catch {
      // A disk that takes nothing at all.
    }
  }

  #write(data: Uint8Array): number {
    if (this.#fd === undefined) return 0;
    let written = 0;
    try {
      while (written < data.length) {
        written += writeSync(this.#fd, data, written, data.length - written, this.#keptBytes + written);
      }
    } catch {
      this.#refused();
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

/** Returns undefined where the disk refuses, or where something else than a file is in its place. */
function openSpool(path: string): number | undefined {
  try {
    // The kernel refuses to splice from a pipe into a file that is open for appending.
    return openSync(path, constants.O_WRONLY | constants.O_CREAT, MODE);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
