import type { Stream } from '../../shared/protocol/agent-frames.js';
import { LineSplitter, type Line } from './line-splitter.js';

const STREAMS = ['stdout', 'stderr'] as const satisfies readonly Stream[];

/** The lines of all hosts, each stream cut on its own. */
export class HostLines {
  readonly #splitters = new Map<string, Record<Stream, LineSplitter>>();

  push(host: string, stream: Stream, data: Uint8Array): Line[] {
    return this.#of(host)[stream].push(data);
  }

  flush(host: string, stream: Stream): Line | undefined {
    return this.#splitters.get(host)?.[stream].flush();
  }

  /** Every unfinished line, in the order in which the hosts were first heard of. */
  *flushAll(): Generator<{ readonly host: string; readonly stream: Stream; readonly line: Line }> {
    for (const host of this.#splitters.keys()) {
      for (const stream of STREAMS) {
        const line = this.flush(host, stream);
        if (line) yield { host, stream, line };
      }
    }
  }

  #of(host: string): Record<Stream, LineSplitter> {
    const known = this.#splitters.get(host);
    if (known) return known;
    const splitters = { stdout: new LineSplitter(), stderr: new LineSplitter() };
    this.#splitters.set(host, splitters);
    return splitters;
  }
}
