/** A measurement of one address. `answer` is undefined if no server answered in time. */
export interface Measured {
  readonly address: string;
  readonly answer: { readonly ms: number; readonly instance: string } | undefined;
  /** a session is held with it now */
  readonly held: boolean;
}

/** A held address is left only for one that is faster by as much, so that noise moves nobody. */
const FASTER_BY_SHARE = 0.3;
const FASTER_BY_MS = 5;

/**
 * The addresses to hold sessions with, `most` at most: the fastest of different servers, then those that did not answer
 * (they may come back), last those that lead to a server chosen already.
 */
export function chooseAddresses(measured: readonly Measured[], most: number): string[] {
  const chosen = new Set<string>();
  const servers = new Set<string>();
  const answered = measured
    .flatMap(({ address, answer, held }) => {
      if (!answer) return [];
      const { ms, instance } = answer;
      return [{ address, instance, score: held ? ms - Math.max(ms * FASTER_BY_SHARE, FASTER_BY_MS) : ms }];
    })
    .sort((a, b) => a.score - b.score);
  for (const { address, instance } of answered) {
    if (chosen.size >= most || servers.has(instance)) continue;
    servers.add(instance);
    chosen.add(address);
  }
  const silent = measured.filter(({ answer }) => !answer).sort((a, b) => Number(b.held) - Number(a.held));
  for (const { address } of [...silent, ...answered]) {
    if (chosen.size < most) chosen.add(address);
  }
  return [...chosen];
}
