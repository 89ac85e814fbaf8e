/** Holds at most `limit` entries: a further one pushes out the one that was set longest ago. */
export class CappedMap<K, V> extends Map<K, V> {
  readonly #limit: number;

  constructor(limit: number, entries: Iterable<readonly [K, V]> = []) {
    super();
    this.#limit = limit;
    for (const [key, value] of entries) this.set(key, value);
  }

  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    const oldest = this.keys().next();
    if (this.size > this.#limit && !oldest.done) this.delete(oldest.value);
    return this;
  }
}
