import type { OutputFrame } from '../../shared/protocol/agent-frames.js';
import { encodeOutput, OUTPUT_HEADER_BYTES, writeOutputHeader } from '../../shared/protocol/binary-frames.js';
import { OUTPUT_CHUNK_BYTES } from '../../shared/protocol/limits.js';

const BUFFER_BYTES = OUTPUT_HEADER_BYTES + OUTPUT_CHUNK_BYTES;
/** Smaller frames than this Node cuts from a buffer that many share. */
const SMALL_BYTES = Buffer.poolSize / 2;
/** Kept for reuse; what comes back beyond that is left to the garbage collector. */
const MAX_IDLE = 64;

/**
 * Encodes output frames into buffers that are used again. The garbage collector would let tens of megabytes of buffers
 * pile up before it looks for them, since there is hardly anything else to collect while output streams through.
 */
export class OutputBuffers {
  readonly #idle: ArrayBufferLike[] = [];

  encode(frame: Omit<OutputFrame, 't'>): Buffer {
    const bytes = OUTPUT_HEADER_BYTES + frame.data.length;
    if (bytes < SMALL_BYTES || bytes > BUFFER_BYTES) return encodeOutput(frame);
    const encoded = Buffer.from(this.#idle.pop() ?? new ArrayBuffer(BUFFER_BYTES), 0, bytes);
    writeOutputHeader(encoded, frame.channel, frame.stream, frame.offset);
    encoded.set(frame.data, OUTPUT_HEADER_BYTES);
    return encoded;
  }

  /** Takes back what encode() gave, once; nothing may read it any more. */
  release({ buffer }: Buffer): void {
    if (buffer.byteLength === BUFFER_BYTES && this.#idle.length < MAX_IDLE) this.#idle.push(buffer);
  }
}
