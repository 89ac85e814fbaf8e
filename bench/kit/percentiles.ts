/** The figures quoted of a series of measurements. */
export interface Spread {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest-rank percentiles, rounded to two decimals. Throws for an empty series. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0);
  return { n: sorted.length, min: at(0.000_001), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

export function median(values: readonly number[]): number {
  return spread(values).p50;
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
