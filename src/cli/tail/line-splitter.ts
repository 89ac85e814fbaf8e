/** Longest unfinished line that is held back, bytes. */
export const MAX_LINE_BYTES = 1 << 20;

const NEWLINE = 0x0a;

export interface Line {
  /** without its newline */
  readonly bytes: Uint8Array;
  /** false: no newline followed, because the line was cut at the limit or the stream ended */
  readonly ended: boolean;
}

/**
 * Cuts one stream into lines, byte by byte: no character set is assumed. Holds at most `maxLineBytes` of an unfinished
 * line; a longer one is handed out in pieces. What is pushed is kept by reference until its line ends.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(maxLineBytes: number = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that these bytes complete. */
  push(data: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (;;) {
      const newline = data.indexOf(NEWLINE, start);
      const end = newline === -1 ? data.length : newline;
      let room = this.#maxLineBytes - this.#heldBytes;
      while (end - start > room) {
        this.#hold(data.subarray(start, start + room));
        start += room;
        lines.push({ bytes: this.#take(), ended: false });
        room = this.#maxLineBytes;
      }
      this.#hold(data.subarray(start, end));
      if (newline === -1) return lines;
      lines.push({ bytes: this.#take(), ended: true });
      start = newline + 1;
    }
  }

  /** The unfinished last line, if there is one; the splitter is empty afterwards. */
  flush(): Line | undefined {
    return this.#heldBytes === 0 ? undefined : { bytes: this.#take(), ended: false };
  }

  #hold(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#held.push(piece);
    this.#heldBytes += piece.length;
  }

  #take(): Uint8Array {
    const [first] = this.#held;
    const bytes = this.#held.length === 1 && first ? first : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return bytes;
  }
}
