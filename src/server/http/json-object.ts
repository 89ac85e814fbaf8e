import { RefusedError } from './request.js';

/**
 * The fields of a JSON body, with the rules that callers of the Go ibex rely on: names match in any letter case, the
 * last one wins, null counts as absent, unknown fields are ignored. Throws RefusedError (400) naming the field.
 */
export class JsonObject {
  readonly #values = new Map<string, unknown>();

  constructor(body: string) {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch (error) {
      throw invalid(body.trim() === '' ? 'it is empty' : `not JSON (${error instanceof Error ? error.message : ''})`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('must be an object');
    for (const [name, field] of Object.entries(value)) {
      if (field !== null) this.#values.set(name.toLowerCase(), field);
    }
  }

  /** '' where the field is absent */
  text(name: string): string {
    const value = this.#values.get(name) ?? '';
    if (typeof value !== 'string') throw invalid(`${name} must be a string`);
    return value;
  }

  /** 0 where the field is absent */
  whole(name: string): number {
    const value = this.#values.get(name) ?? 0;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw invalid(`${name} must be a whole number`);
    return value;
  }

  /** undefined where the field is absent; null items count as '' */
  texts(name: string): string[] | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw invalid(`${name} must be a list of strings`);
    return value.map((item: unknown) => {
      if (item !== null && typeof item !== 'string') throw invalid(`${name} must be a list of strings`);
      return item ?? '';
    });
  }
}

export function invalid(why: string): RefusedError {
  return new RefusedError(400, `json body invalid: ${why}`);
}
