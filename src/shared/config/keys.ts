import type { Key } from './schema.js';

/** Ready-made readers for the kinds of values that config files hold. */

export function string(fallback: string): Key<string> {
  return keyOf(fallback, isString, 'must be a text in quotes');
}

/** A file's or folder's path, which can't be empty. */
export function filePath(fallback: string): Key<string> {
  return {
    fallback,
    read: (value) => {
      if (typeof value !== 'string' || value === '') throw new Error('must be a path in quotes');
      return value;
    },
  };
}

export function boolean(fallback: boolean): Key<boolean> {
  return keyOf(fallback, (value) => typeof value === 'boolean', 'must be true or false');
}

export function integer(fallback: number, min: number, max: number): Key<number> {
  const fits = (value: unknown): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
  return keyOf(fallback, fits, `must be a whole number from ${min} to ${max}`);
}

export function strings(fallback: readonly string[]): Key<readonly string[]> {
  const fits = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isString);
  return keyOf(fallback, fits, 'must be a list of texts');
}

export function oneOf<const T extends string>(fallback: T, allowed: readonly T[]): Key<T> {
  const fits = (value: unknown): value is T => allowed.some((item) => item === value);
  return keyOf(fallback, fits, `must be one of ${allowed.map((item) => `"${item}"`).join(', ')}`);
}

/** Marks a key that is understood and has no effect, with the reason that the start-up warning gives. */
export function unused<T>(key: Key<T>, why: string): Key<T> {
  return { ...key, unused: why };
}

function keyOf<T>(fallback: T, fits: (value: unknown) => value is T, expected: string): Key<T> {
  const read = (value: unknown): T => {
    if (!fits(value)) throw new Error(expected);
    return value;
  };
  return { fallback, read };
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
