/** Readers of decoded values, as tolerant as the server that these agents were written for. */

const EMPTY = new Uint8Array();

/** A struct comes as a map, or as an array of its fields in their declared order. */
export class Struct {
  readonly #byName: ReadonlyMap<string, unknown> | undefined;
  readonly #inOrder: readonly unknown[];

  private constructor(byName: ReadonlyMap<string, unknown> | undefined, inOrder: readonly unknown[]) {
    this.#byName = byName;
    this.#inOrder = inOrder;
  }

  /** Undefined for any other value than a struct; nil is one whose fields are all missing. */
  static read(value: unknown): Struct | undefined {
    if (value === null || value === undefined) return new Struct(undefined, []);
    if (Array.isArray(value)) return new Struct(undefined, value);
    if (typeof value !== 'object' || value instanceof Uint8Array) return undefined;
    return new Struct(new Map(Object.entries(value)), []);
  }

  field(name: string, position: number): unknown {
    return this.#byName ? this.#byName.get(name) : this.#inOrder[position];
  }
}

/** The bytes of a string of either kind; nil and a missing one are empty. Undefined for anything else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value === null || value === undefined) return EMPTY;
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' ? Buffer.from(value) : undefined;
}

/** The text of a string; what is no UTF-8 is replaced. */
export function textOf(value: unknown): string | undefined {
  const bytes = bytesOf(value);
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** A whole number of any width; nil and a missing one are 0. Undefined for anything else, and beyond 2^53. */
export function wholeOf(value: unknown): number | undefined {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

/** nil and a missing list are empty. */
export function listOf(value: unknown): readonly unknown[] | undefined {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? value : undefined;
}
