import type { Key } from './schema.js';

/** Ready-made readers for the kinds of values that config files hold. */

export function string(fallback: string): Key<string> {
  return {
    fallback,
    read: (value) => {
      if (typeof value !== 'string') throw new Error('must be a text in quotes');
      return value;
    },
  };
}

export function boolean(fallback: boolean): Key<boolean> {
  return {
    fallback,
    read: (value) => {
      if (typeof value !== 'boolean') throw new Error('must be true or false');
      return value;
    },
  };
}

export function integer(fallback: number, min: number, max: number): Key<number> {
  return {
    fallback,
    read: (value) => {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
        throw new Error(`must be a whole number from ${min} to ${max}`);
      }
      return value;
    },
  };
}

export function strings(fallback: readonly string[]): Key<readonly string[]> {
  return {
    fallback,
    read: (value) => {
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
        throw new Error('must be a list of texts');
      }
      return value;
    },
  };
}

export function oneOf<const T extends string>(fallback: T, allowed: readonly T[]): Key<T> {
  return {
    fallback,
    read: (value) => {
      const found = allowed.find((item) => item === value);
      if (found === undefined) throw new Error(`must be one of ${allowed.map((item) => `"${item}"`).join(', ')}`);
      return found;
    },
  };
}

/** Marks a key that is understood and has no effect, with the reason that the start-up warning gives. */
export function unused<T>(key: Key<T>, why: string): Key<T> {
  return { ...key, unused: why };
}
