import type { HttpResponse } from 'uWebSockets.js';

/** What became of a request's body. */
export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'discarded' }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'busy' };

/** How much of a body that is not kept is read before its sender is cut off, bytes. */
const MAX_DISCARDED_BYTES = 256 * 1024 * 1024;

/**
 * Bodies being received. One is bounded by `maxBodyBytes`, all together by four times that: over either, bytes are
 * thrown away as they come and the caller gets a refusal after the last one (an answer before it could be lost when
 * the connection is closed under the sender).
 */
export class BodyReader {
  readonly #maxBodyBytes: number;
  #heldBytes = 0;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /**
   * Must be called in the request's handler. `done` is called at most once, and not after an abort, which the caller
   * tells by calling the function that is returned.
   */
  read(res: HttpResponse, keep: boolean, done: (body: Body) => void): () => void {
    let kept: Buffer[] = [];
    let keptBytes = 0;
    let receivedBytes = 0;
    let refused: 'discarded' | 'too-long' | 'busy' | undefined = keep ? undefined : 'discarded';
    let finished = false;
    const release = (): void => {
      this.#heldBytes -= keptBytes;
      keptBytes = 0;
      kept = [];
    };
    res.onData((chunk, isLast) => {
      if (finished) return;
      receivedBytes += chunk.byteLength;
      if (receivedBytes > this.#maxBodyBytes) refused ??= 'too-long';
      else if (this.#heldBytes + chunk.byteLength > 4 * this.#maxBodyBytes) refused ??= 'busy';
      if (refused !== undefined) release();
      else if (chunk.byteLength > 0) {
        // Copied: the chunk is emptied when this handler returns.
        kept.push(Buffer.from(new Uint8Array(chunk)));
        keptBytes += chunk.byteLength;
        this.#heldBytes += chunk.byteLength;
      }
      if (!isLast && receivedBytes <= this.#maxBodyBytes + MAX_DISCARDED_BYTES) return;
      finished = true;
      const bytes = kept.length === 1 && kept[0] ? kept[0] : Buffer.concat(kept);
      release();
      done(refused === undefined ? { kind: 'whole', bytes } : { kind: refused });
    });
    return () => {
      finished = true;
      release();
    };
  }
}
