/** The list in order, `size` items at a time; the last piece may be shorter. */
export function* pieces<T>(list: readonly T[], size: number): Generator<T[], void> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}
