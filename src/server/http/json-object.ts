import { RefusedError } from './request.js';

/**
 * The fields of a JSON body, with the rules that callers of the Go ibex rely on: names match in any letter case, the
 * last one wins, null counts as absent, unknown fields are ignored. Throws RefusedError (400) naming the field.
 */
export class JsonObject {
  readonly #values = new Map<string, unknown>();

  constructor(body: string) {
    const value = parseFirst(body) ?? {};
    if (typeof value !== 'object' || Array.isArray(value)) throw invalid('must be an object');
    for (const [name, field] of Object.entries(value)) {
      if (field !== null) this.#values.set(name.toLowerCase(), field);
    }
  }

  /** '' where the field is absent */
  string(name: string): string {
    const value = this.#values.get(name) ?? '';
    if (typeof value !== 'string') throw invalid(`${name} must be a string`);
    return value.toWellFormed();
  }

  /** 0 where the field is absent; within 64 bits, and rounded beyond the safe range */
  integer(name: string): number {
    const value = this.#values.get(name) ?? 0;
    if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > 2 ** 63) {
      throw invalid(`${name} must be a whole number`);
    }
    // Not -0, which prints as it should not in some places.
    return value + 0;
  }

  /** undefined where the field is absent */
  boolean(name: string): boolean | undefined {
    const value = this.#values.get(name);
    if (value !== undefined && typeof value !== 'boolean') throw invalid(`${name} must be true or false`);
    return value;
  }

  /** undefined where the field is absent; null items count as '' */
  strings(name: string): string[] | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw invalid(`${name} must be a list of strings`);
    return value.map((item: unknown) => {
      if (item !== null && typeof item !== 'string') throw invalid(`${name} must be a list of strings`);
      return (item ?? '').toWellFormed();
    });
  }
}

/** The first JSON value of a text. What follows an object is ignored. */
function parseFirst(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    const end = objectEnd(body);
    if (end !== undefined && end < body.trimEnd().length) return parseFirst(body.slice(0, end));
    throw invalid(body.trim() === '' ? 'it is empty' : `not JSON (${error instanceof Error ? error.message : ''})`);
  }
}

/** Where the object at the beginning of a text ends; undefined if there is none that does. */
function objectEnd(body: string): number | undefined {
  if (!/^[ \t\r\n]*\{/.test(body)) return undefined;
  let depth = 0;
  for (const { 0: token, index } of body.matchAll(/"(?:[^"\\]|\\[^])*"|[{}]/g)) {
    if (token === '{') depth++;
    else if (token === '}') depth--;
    if (depth === 0) return index + token.length;
  }
  return undefined;
}

export function invalid(why: string): RefusedError {
  return new RefusedError(400, `json body invalid: ${why}`);
}
