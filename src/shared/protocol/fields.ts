import { ProtocolError } from '../errors.js';
import type { RunId } from '../run-key.js';
import { CloseCode } from './close-codes.js';

/** A reader for every type of frame that one end sends: a type without its reader, or a field left out, does not compile. */
export type FrameReaders<F extends { readonly t: string }> = {
  readonly [T in F['t']]: (fields: Fields) => Extract<F, { readonly t: T }>;
};

/** Parses a text frame by the reader of its type. Throws ProtocolError (badFrame) naming frame and field. */
export function parseTextFrame<F extends { readonly t: string }>(text: string, readers: FrameReaders<F>): F {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError(CloseCode.badFrame, 'frame is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError(CloseCode.badFrame, 'frame is not a JSON object');
  }
  const type = new Fields(value, 'frame').string('t', 32);
  if (!isKey(readers, type)) throw new ProtocolError(CloseCode.badFrame, `unknown frame ${JSON.stringify(type)}`);
  return readers[type](new Fields(value, type));
}

function isKey<T extends object>(table: T, name: string): name is keyof T & string {
  return Object.hasOwn(table, name);
}

/**
 * Reads the fields of one frame, each with its type and range; a field that breaks them is a ProtocolError that names
 * frame and field. Fields nobody asks for are ignored, so that a later version may add some.
 */
export class Fields {
  readonly #value: object;
  readonly #frame: string;

  constructor(value: object, frame: string) {
    this.#value = value;
    this.#frame = frame;
  }

  string(name: string, maxLength: number): string {
    const value = this.#get(name);
    if (typeof value !== 'string') throw this.#wrong(name, 'must be a string');
    if (isLonger(value, maxLength)) throw this.#wrong(name, `must have at most ${maxLength} characters`);
    return value;
  }

  /** A non-empty text. */
  name(name: string, maxLength: number): string {
    const value = this.string(name, maxLength);
    if (value === '') throw this.#wrong(name, 'must not be empty');
    return value;
  }

  integer(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#get(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw this.#wrong(name, `must be a whole number from ${min} to ${max}`);
    }
    return value;
  }

  integerOrNull(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | null {
    const value = this.#get(name);
    return value === undefined || value === null ? null : this.integer(name, min, max);
  }

  boolean(name: string): boolean {
    const value = this.#get(name);
    if (typeof value !== 'boolean') throw this.#wrong(name, 'must be true or false');
    return value;
  }

  /** Bytes in base64url without padding, of exactly `bytes` bytes. */
  bytes(name: string, bytes: number): Buffer {
    const text = this.string(name, Math.ceil((bytes * 4) / 3));
    const decoded = Buffer.from(text, 'base64url');
    if (decoded.length !== bytes || decoded.toString('base64url') !== text) {
      throw this.#wrong(name, `must be ${bytes} bytes in base64url`);
    }
    return decoded;
  }

  object<T>(name: string, read: (item: Fields) => T): T {
    const value = this.#get(name);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#wrong(name, 'must be an object');
    return read(new Fields(value, `${this.#frame}.${name}`));
  }

  list<T>(name: string, maxItems: number, read: (item: Fields) => T): T[] {
    return this.#array(name, maxItems).map((item) => {
      if (typeof item !== 'object' || item === null || Array.isArray(item))
        throw this.#wrong(name, 'must hold objects');
      return read(new Fields(item, `${this.#frame}.${name}`));
    });
  }

  strings(name: string, maxItems: number, maxLength: number): string[] {
    return this.#array(name, maxItems).map((item) => {
      if (typeof item !== 'string' || isLonger(item, maxLength)) {
        throw this.#wrong(name, `must hold strings of at most ${maxLength} characters`);
      }
      return item;
    });
  }

  integers(name: string, maxItems: number): number[] {
    return this.#array(name, maxItems).map((item) => {
      if (typeof item !== 'number' || !Number.isSafeInteger(item)) throw this.#wrong(name, 'must hold whole numbers');
      return item;
    });
  }

  oneOf<const T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.#get(name);
    const found = allowed.find((item) => item === value);
    if (found === undefined) throw this.#wrong(name, `must be one of ${allowed.join(', ')}`);
    return found;
  }

  runId(): RunId {
    return { taskId: this.integer('taskId', 1), clock: this.integer('clock') };
  }

  has(name: string): boolean {
    const value = this.#get(name);
    return value !== undefined && value !== null;
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#value, name) ? Reflect.get(this.#value, name) : undefined;
  }

  #array(name: string, maxItems: number): readonly unknown[] {
    const value = this.#get(name);
    if (!Array.isArray(value)) throw this.#wrong(name, 'must be a list');
    if (value.length > maxItems) throw this.#wrong(name, `must have at most ${maxItems} items`);
    return value;
  }

  #wrong(name: string, what: string): ProtocolError {
    return new ProtocolError(CloseCode.badFrame, `${this.#frame}: ${name} ${what}`);
  }
}

/** Counts characters (code points), as the API's limits do; a JavaScript string's length counts some of them twice. */
function isLonger(text: string, maxCharacters: number): boolean {
  if (text.length <= maxCharacters) return false;
  if (text.length > 2 * maxCharacters) return true;
  let characters = 0;
  for (const _ of text) characters++;
  return characters > maxCharacters;
}
