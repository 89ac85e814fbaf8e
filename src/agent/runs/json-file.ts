import { readFileSync } from 'node:fs';
import { errorCode } from '../../shared/errors.js';
import { Fields } from '../../shared/protocol/fields.js';

/** A file that is there but does not say what it should, e.g. half written or by another program. */
export class CorruptFileError extends Error {
  override readonly name = 'CorruptFileError';
}

/** Reads a JSON object through `parse`. Undefined if there is no such file; CorruptFileError if it can't be understood. */
export function readJsonFile<T>(path: string, parse: (fields: Fields) => T): T | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) throw new Error('not a JSON object');
    return parse(new Fields(value, path));
  } catch (error) {
    throw new CorruptFileError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
