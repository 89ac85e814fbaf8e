/** Does the work for each item, in their order, for at most `atOnce` of them at the same time. Rejects if any does. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const next = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let one = next.next(); one.done !== true; one = next.next()) await work(one.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
