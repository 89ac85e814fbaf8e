import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { errorCode } from '../../shared/errors.js';

/**
 * Standard output or error. Holds what the stream's own buffer holds (64 KiB beyond the write that fills it): a write
 * resolves once there is room again, and callers await it before they fetch more.
 */
export class OutputStream {
  readonly #stream: Writable;
  readonly #broken = new AbortController();

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => this.#broken.abort(error));
  }

  /** Aborted when nothing can be written any more; the reason is the stream's error. */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  /** True if the reader has left, which is its right (`| head`) and no failure. */
  get readerLeft(): boolean {
    return errorCode(this.#broken.signal.reason) === 'EPIPE';
  }

  async write(data: Uint8Array | string): Promise<void> {
    if (this.broken.aborted || this.#stream.write(data)) return;
    try {
      await once(this.#stream, 'drain', { signal: this.broken });
    } catch {
      // Broken while waiting; the owner watches `broken` and ends the work.
    }
  }

  /** Resolves once the system has taken everything written so far, or never will. */
  async flush(): Promise<void> {
    if (this.broken.aborted) return;
    await new Promise<void>((resolve) => {
      this.#stream.write('', () => resolve());
    });
  }
}
