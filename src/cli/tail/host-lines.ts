import type { Stream } from '../../shared/protocol/agent-frames.js';
import { LineSplitter, type Line } from './line-splitter.js';

const STREAMS = ['stdout', 'stderr'] as const satisfies readonly Stream[];
/** An unfinished line is shown as far as it is once it has waited so long for its newline. */
const PART_AFTER_MS = 200;

/** Shows lines that are complete, and the beginning of one that stays without its newline for a while. */
export type ShowLines = (host: string, stream: Stream, lines: readonly Line[]) => Promise<void>;

/** The lines of all hosts, each stream cut on its own. */
export class HostLines {
  readonly #show: ShowLines;
  readonly #splitters = new Map<string, Record<Stream, LineSplitter>>();
  /** hosts that may have an unfinished line to show when the timer fires */
  readonly #unfinished = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(show: ShowLines) {
    this.#show = show;
  }

  async push(host: string, stream: Stream, data: Uint8Array): Promise<void> {
    const splitter = this.#of(host)[stream];
    const lines = splitter.push(data);
    if (splitter.holds) this.#showPartSoon(host);
    if (lines.length > 0) await this.#show(host, stream, lines);
  }

  /** Shows what is left of a host's unfinished lines: nothing follows them. */
  async flush(host: string, streams: readonly Stream[] = STREAMS): Promise<void> {
    for (const stream of streams) {
      const line = this.#splitters.get(host)?.[stream].flush();
      if (line) await this.#show(host, stream, [line]);
    }
  }

  async flushAll(): Promise<void> {
    clearTimeout(this.#timer);
    for (const host of this.#splitters.keys()) await this.flush(host);
  }

  #showPartSoon(host: string): void {
    this.#unfinished.add(host);
    this.#timer ??= setTimeout(() => this.#showParts(), PART_AFTER_MS);
  }

  #showParts(): void {
    this.#timer = undefined;
    for (const host of this.#unfinished) {
      for (const stream of STREAMS) {
        const line = this.#splitters.get(host)?.[stream].part();
        // Not waited for: at most one unfinished line of each stream is on its way without room for it.
        if (line) void this.#show(host, stream, [line]);
      }
    }
    this.#unfinished.clear();
  }

  #of(host: string): Record<Stream, LineSplitter> {
    const known = this.#splitters.get(host);
    if (known) return known;
    const splitters = { stdout: new LineSplitter(), stderr: new LineSplitter() };
    this.#splitters.set(host, splitters);
    return splitters;
  }
}
