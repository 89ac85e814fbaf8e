import type { Stream } from '../../shared/protocol/agent-frames.js';

/**
 * closing: no process has the stream open, and its last bytes are to be read.
 * unread: a process has the stream open, and bytes are to be read. held: a process has the stream open.
 */
export type StreamState = 'closing' | 'unread' | 'held' | 'over';

/** A stream whose script has ended. */
export interface OpenStream {
  readonly name: Stream;
  /** the terminal or pipe that its writers have open */
  readonly path: string;
  /** Takes what can be taken at once. */
  look(): StreamState;
}

/** A script that has ended. */
export interface EndedScript {
  readonly streams: readonly OpenStream[];
  /** undefined where it is unknown */
  readonly pid: () => number | undefined;
  /** wall clock, ms */
  readonly startedMs: number;
}
