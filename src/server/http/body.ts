import type { IncomingMessage } from 'node:http';

/** A request's body, or why there is none. */
export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'discarded' }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'busy' }
  /** the caller left before its end */
  | { readonly kind: 'broken' };

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

  /** `done` is called once. */
  read(request: IncomingMessage, keep: boolean, done: (body: Body) => void): void {
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
    const finish = (body: Body): void => {
      if (finished) return;
      finished = true;
      release();
      done(body);
    };
    const whole = (): Body => {
      if (refused !== undefined) return { kind: refused };
      return { kind: 'whole', bytes: kept.length === 1 && kept[0] ? kept[0] : Buffer.concat(kept) };
    };
    request.on('data', (chunk: Buffer) => {
      if (finished) return;
      receivedBytes += chunk.length;
      if (receivedBytes > this.#maxBodyBytes) refused ??= 'too-long';
      else if (this.#heldBytes + chunk.length > 4 * this.#maxBodyBytes) refused ??= 'busy';
      if (refused !== undefined) release();
      else {
        kept.push(chunk);
        keptBytes += chunk.length;
        this.#heldBytes += chunk.length;
      }
      if (receivedBytes > this.#maxBodyBytes + MAX_DISCARDED_BYTES) finish(whole());
    });
    request.once('end', () => finish(whole()));
    request.once('close', () => finish({ kind: 'broken' }));
    // 'close' follows every error and is what counts.
    request.on('error', () => undefined);
  }
}
