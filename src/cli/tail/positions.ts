import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { TailPosition } from '../../shared/protocol/tail-frames.js';

/** The new part of an output frame: the bytes not seen before, and how many before them are missing. */
export interface Fresh {
  readonly data: Uint8Array;
  readonly missingBytes: number;
}

interface HostPosition {
  clock: number;
  stdout: number;
  stderr: number;
}

/** How far each host's output has been shown; lets a broken connection go on without a byte lost or shown twice. */
export class Positions {
  readonly #hosts = new Map<string, HostPosition>();

  /** True if this clock begins another run of a host of which output was shown: its streams begin at 0 again. */
  run(host: string, clock: number): boolean {
    const position = this.#of(host);
    if (clock === 0 || position.clock === clock) return false;
    const again = position.clock !== 0;
    this.#hosts.set(host, { clock, stdout: 0, stderr: 0 });
    return again;
  }

  advance(host: string, stream: Stream, offset: number, data: Uint8Array): Fresh {
    const position = this.#of(host);
    const seen = position[stream];
    const end = offset + data.length;
    if (end <= seen) return { data: data.subarray(data.length), missingBytes: 0 };
    position[stream] = end;
    return offset < seen
      ? { data: data.subarray(seen - offset), missingBytes: 0 }
      : { data, missingBytes: offset - seen };
  }

  /** Skips to `to`; false if that was passed already. */
  skip(host: string, stream: Stream, to: number): boolean {
    const position = this.#of(host);
    if (to <= position[stream]) return false;
    position[stream] = to;
    return true;
  }

  /** For the first frame of the next connection: the hosts of which a run was seen. */
  list(): TailPosition[] {
    return [...this.#hosts]
      .filter(([, position]) => position.clock !== 0)
      .map(([host, { clock, stdout, stderr }]) => ({ host, clock, stdout, stderr }));
  }

  #of(host: string): HostPosition {
    const known = this.#hosts.get(host);
    if (known) return known;
    const position = { clock: 0, stdout: 0, stderr: 0 };
    this.#hosts.set(host, position);
    return position;
  }
}
