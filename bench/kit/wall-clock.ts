/** Wall clock in ms with fractions, comparable with `date +%s%N` on the same machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
