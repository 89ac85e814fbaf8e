import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { errorCode } from '../../shared/errors.js';

/** A stream as it lies on disk: its beginning, and its end where the middle could not be kept. */
export interface SpoolExtent {
  /** bytes kept from the beginning */
  readonly headBytes: number;
  /** position of the first byte of the kept end; equals `totalBytes` where there is none */
  readonly tailStart: number;
  readonly totalBytes: number;
}

/**
 * Reads a spool while it is being written. `totalBytes` is the stream's whole length where it is known (the run has
 * ended), undefined while it runs: then the stream is what the file holds.
 */
export class SpoolReader implements Disposable {
  readonly #path: string;
  #head: number | undefined;
  #tail: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  extent(totalBytes: number | undefined): SpoolExtent {
    this.#head ??= openIfThere(this.#path);
    const headBytes = this.#head === undefined ? 0 : fstatSync(this.#head).size;
    if (totalBytes === undefined || totalBytes <= headBytes) {
      return { headBytes, tailStart: headBytes, totalBytes: headBytes };
    }
    this.#tail ??= openIfThere(`${this.#path}.tail`);
    const tailBytes = this.#tail === undefined ? 0 : fstatSync(this.#tail).size;
    return { headBytes, tailStart: Math.max(headBytes, totalBytes - tailBytes), totalBytes };
  }

  /** Fills `target` from stream position `offset` as far as the bytes there are contiguous; returns how many were read. */
  read(extent: SpoolExtent, offset: number, target: Uint8Array): number {
    if (offset < extent.headBytes && this.#head !== undefined) {
      return readSync(this.#head, target, 0, Math.min(target.length, extent.headBytes - offset), offset);
    }
    if (offset >= extent.tailStart && offset < extent.totalBytes && this.#tail !== undefined) {
      const length = Math.min(target.length, extent.totalBytes - offset);
      return readSync(this.#tail, target, 0, length, offset - extent.tailStart);
    }
    return 0;
  }

  [Symbol.dispose](): void {
    if (this.#head !== undefined) closeSync(this.#head);
    if (this.#tail !== undefined) closeSync(this.#tail);
    this.#head = undefined;
    this.#tail = undefined;
  }
}

/** The last `bytes` bytes of a stream, as far as they were kept without a hole. */
export function readStreamEnd(path: string, totalBytes: number | undefined, bytes: number): Buffer {
  using reader = new SpoolReader(path);
  const extent = reader.extent(totalBytes);
  const hasTail = extent.tailStart < extent.totalBytes;
  // Where the disk refused even the end, the head is the last that there is.
  const stop = hasTail ? extent.totalBytes : extent.headBytes;
  const wanted = Math.max(0, stop - bytes);
  const start = hasTail && extent.tailStart > extent.headBytes ? Math.max(wanted, extent.tailStart) : wanted;
  const end = Buffer.alloc(stop - start);
  let filled = 0;
  while (filled < end.length) {
    const read = reader.read(extent, start + filled, end.subarray(filled));
    if (read === 0) break;
    filled += read;
  }
  return end.subarray(0, filled);
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
