/** A peer sent bytes that are no call of this protocol. Its connection is closed. */
export class LegacyProtocolError extends Error {
  override readonly name = 'LegacyProtocolError';
}

/** A report of tasks is an array in a map in an array in a map in an array in the call; nothing is deeper. */
const MAX_DEPTH = 12;

/**
 * Finds where a MessagePack value ends while its bytes are still coming, without looking at any byte twice: only heads
 * are read, texts are stepped over. What it lets through is whole, no longer than `maxBytes`, no deeper than 12 and
 * free of extension types, so that decoding it costs no more memory than its length allows.
 */
export class FrameScanner {
  readonly #maxBytes: number;
  /** where the next head is, counted from the value's first byte */
  #at = 0;
  /** values that are still to come, for each array or map that is open */
  #open: number[] = [1];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The length of the value that begins at the first of these bytes, or undefined while it is not complete. Until it
   * is, the next call must have the same bytes in front. Throws LegacyProtocolError.
   */
  scan(bytes: Uint8Array): number | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    while (this.#open.length > 0) {
      const head = bytes[this.#at];
      if (head === undefined) return undefined;
      const sizeBytes = sizeFieldBytes(head);
      if (this.#at + 1 + sizeBytes > bytes.length) return undefined;
      const size = sizeBytes === 0 ? 0 : readSize(view, this.#at + 1, sizeBytes);
      this.#take(head, sizeBytes, size);
    }
    // The last text of the value may not be there yet.
    if (this.#at > bytes.length) return undefined;
    const length = this.#at;
    this.#at = 0;
    this.#open = [1];
    return length;
  }

  #take(head: number, sizeBytes: number, size: number): void {
    const innermost = this.#open.length - 1;
    this.#open[innermost] = (this.#open[innermost] ?? 1) - 1;
    this.#at += 1 + sizeBytes + bodyBytes(head, size);
    const children = childCount(head, size);
    // Each of them takes at least a byte.
    if (this.#at + children > this.#maxBytes) throw new LegacyProtocolError('a call is too long');
    if (children > 0) this.#open.push(children);
    if (this.#open.length > MAX_DEPTH) throw new LegacyProtocolError('a call is nested too deep');
    while (this.#open.at(-1) === 0) this.#open.pop();
  }
}

function sizeFieldBytes(head: number): number {
  switch (head) {
    case 0xc4:
    case 0xd9:
      return 1;
    case 0xc5:
    case 0xda:
    case 0xdc:
    case 0xde:
      return 2;
    case 0xc6:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4;
    default:
      return 0;
  }
}

function readSize(view: DataView, at: number, sizeBytes: number): number {
  if (sizeBytes === 1) return view.getUint8(at);
  return sizeBytes === 2 ? view.getUint16(at) : view.getUint32(at);
}

/** Bytes behind head and size that belong to the value itself. */
function bodyBytes(head: number, size: number): number {
  if (head <= 0x9f || head >= 0xe0) return 0;
  if (head <= 0xbf) return head & 0x1f;
  switch (head) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
    case 0xdc:
    case 0xdd:
    case 0xde:
    case 0xdf:
      return 0;
    case 0xc4:
    case 0xc5:
    case 0xc6:
    case 0xd9:
    case 0xda:
    case 0xdb:
      return size;
    case 0xcc:
    case 0xd0:
      return 1;
    case 0xcd:
    case 0xd1:
      return 2;
    case 0xca:
    case 0xce:
    case 0xd2:
      return 4;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 8;
    default:
      throw new LegacyProtocolError(`the type 0x${head.toString(16)} has no place in a call`);
  }
}

/** Values inside this one. */
function childCount(head: number, size: number): number {
  if (head >= 0x80 && head <= 0x8f) return 2 * (head & 0x0f);
  if (head >= 0x90 && head <= 0x9f) return head & 0x0f;
  if (head === 0xdc || head === 0xdd) return size;
  return head === 0xde || head === 0xdf ? 2 * size : 0;
}
