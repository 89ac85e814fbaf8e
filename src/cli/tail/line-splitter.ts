/** Longest unfinished line that is held back, bytes. */
export const MAX_LINE_BYTES = 1 << 20;

const NEWLINE = 0x0a;

export interface Line {
  /** without its newline */
  readonly bytes: Uint8Array;
  /** false: the line goes on, or its stream ended without a newline */
  readonly ended: boolean;
  /** an earlier piece of the same line was handed out before */
  readonly continues: boolean;
}

/**
 * Cuts one stream into lines, byte by byte: no character set is assumed. Holds at most `maxLineBytes` of an unfinished
 * line; a longer one is handed out in pieces. What is pushed is kept by reference until its line ends.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #continues = false;

  constructor(maxLineBytes: number = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes of an unfinished line are held back. */
  get holds(): boolean {
    return this.#heldBytes > 0;
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
        lines.push(this.#line(this.#take(), false));
        room = this.#maxLineBytes;
      }
      this.#hold(data.subarray(start, end));
      if (newline === -1) return lines;
      lines.push(this.#line(this.#take(), true));
      start = newline + 1;
    }
  }

  /** The unfinished line as far as it is here; a character whose bytes are not all here stays held back. */
  part(): Line | undefined {
    const bytes = this.#take();
    const whole = bytes.subarray(0, bytes.length - cutCharacterBytes(bytes));
    this.#hold(bytes.subarray(whole.length));
    return whole.length === 0 ? undefined : this.#line(whole, false);
  }

  /** The unfinished last line, if there is one. What follows is another line. */
  flush(): Line | undefined {
    const line = this.holds ? this.#line(this.#take(), false) : undefined;
    this.#continues = false;
    return line;
  }

  #line(bytes: Uint8Array, ended: boolean): Line {
    const continues = this.#continues;
    this.#continues = !ended;
    return { bytes, ended, continues };
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

/** How many bytes at the end begin a UTF-8 character of which more is to come. */
function cutCharacterBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes.at(-back);
    if (byte === undefined || byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const characterBytes = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return characterBytes > back ? back : 0;
  }
  return 0;
}
