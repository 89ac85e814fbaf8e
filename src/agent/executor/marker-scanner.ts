/** length of the longest exit code behind the marker, with its closing byte */
const CODE_BYTES = 4;
const CLOSE = 0x3b; // ;

export interface Scanned {
  /** the script's output */
  readonly data: Uint8Array;
  /** the exit code, once the marker was seen, and what came behind it from processes that the script has left */
  readonly end?: { readonly code: number; readonly after: Uint8Array };
}

const NOTHING = new Uint8Array(0);

/**
 * Finds the launcher's last words, `<marker><exit code>;`, in the stream of a terminal, in whatever pieces they arrive. It
 * holds back only bytes that may be their beginning; all others pass at once.
 */
export class MarkerScanner {
  readonly #marker: Buffer;
  #held: Buffer = Buffer.alloc(0);

  /** `marker`: random, so that no script prints it by chance. */
  constructor(marker: string) {
    this.#marker = Buffer.from(marker, 'latin1');
  }

  push(chunk: Uint8Array): Scanned {
    const bytes =
      this.#held.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
        : Buffer.concat([this.#held, chunk]);
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(this.#marker, from);
      if (at < 0) break;
      const codeStart = at + this.#marker.length;
      const close = bytes.indexOf(CLOSE, codeStart);
      const codeEnd = close < 0 ? bytes.length : close;
      const code = bytes.toString('latin1', codeStart, codeEnd);
      const possible = /^\d*$/.test(code) && code.length < CODE_BYTES;
      if (possible && close < 0) return this.#hold(bytes, at);
      if (possible && code !== '') {
        this.#held = Buffer.alloc(0);
        return { data: bytes.subarray(0, at), end: { code: Number(code), after: bytes.subarray(close + 1) } };
      }
      from = at + 1;
    }
    return this.#hold(bytes, bytes.length - this.#beginningAtEnd(bytes));
  }

  /** Returns the bytes held back, once no more will come. */
  rest(): Uint8Array {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held.length === 0 ? NOTHING : held;
  }

  #hold(bytes: Buffer, from: number): Scanned {
    this.#held = Buffer.from(bytes.subarray(from));
    return { data: bytes.subarray(0, from) };
  }

  /** Length of the longest end of `bytes` that is a beginning of the marker. */
  #beginningAtEnd(bytes: Buffer): number {
    const most = Math.min(this.#marker.length - 1, bytes.length);
    for (let length = most; length > 0; length--) {
      if (bytes.subarray(bytes.length - length).equals(this.#marker.subarray(0, length))) return length;
    }
    return 0;
  }
}
