import { STORED_TAIL_BYTES } from '../../shared/protocol/limits.js';

/** A byte that goes on with a character begun before it. */
const CONTINUATION_MASK = 0b1100_0000;
const CONTINUATION = 0b1000_0000;
const LONGEST_REST = 3;

/**
 * The text of a stream's last bytes as it is stored: valid UTF-8 of at most 65,535 bytes, cut at a character, the end
 * kept. Bytes that are no UTF-8 are replaced. `wholeBytes` is the length of the whole stream: where it is more than
 * what is here, the rest of a character that was cut in two is dropped.
 */
export function storedText(tail: Uint8Array, wholeBytes: number): string {
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength);
  const from = wholeBytes > bytes.length ? afterCutCharacter(bytes, 0) : 0;
  const text = bytes.toString('utf8', from);
  // Three bytes a unit at most: texts that can't be too long need no counting.
  if (text.length * 3 <= STORED_TAIL_BYTES || Buffer.byteLength(text) <= STORED_TAIL_BYTES) return text;
  // A replaced byte takes three bytes, so the text can be longer than the bytes.
  const valid = Buffer.from(text);
  return valid.toString('utf8', afterCutCharacter(valid, valid.length - STORED_TAIL_BYTES));
}

function afterCutCharacter(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && at - start < LONGEST_REST) {
    if ((bytes.readUInt8(at) & CONTINUATION_MASK) !== CONTINUATION) break;
    at += 1;
  }
  return at;
}
