import { existsSync } from 'node:fs';
import { OUTPUT_HEADER_BYTES, writeOutputHeader } from '../../shared/protocol/binary-frames.js';
import { AgentRunState, type Stream, type WatchFrame } from '../../shared/protocol/agent-frames.js';
import { OUTPUT_CHUNK_BYTES } from '../../shared/protocol/limits.js';
import type { RunKey } from '../../shared/run-key.js';
import { readOutcome, type Outcome } from '../runs/outcome.js';
import { RunFile, type RunsFolder } from '../runs/run-folder.js';
import { SpoolReader, type SpoolExtent } from '../runs/spool-reader.js';
import type { RunIndex } from './run-index.js';
import type { Session } from './session.js';

interface WatchedStream {
  readonly stream: Stream;
  readonly reader: SpoolReader;
  offset: number;
}

interface Watch {
  readonly run: RunKey;
  readonly frame: WatchFrame;
  readonly streams: readonly WatchedStream[];
  /** bytes that may still be sent */
  credit: number;
}

/**
 * Streams output of one session's watches from the spools. Nothing is buffered: bytes are read when credit is there,
 * and credit comes as the viewer takes them, so a slow viewer slows only itself.
 */
export class Watches implements Disposable {
  readonly #session: Session;
  readonly #runs: RunsFolder;
  readonly #index: RunIndex;
  readonly #onWatched: (run: RunKey, watched: boolean) => void;
  readonly #watches = new Map<number, Watch>();

  /** `onWatched`: a run has its first watch here, or lost its last. */
  constructor(session: Session, runs: RunsFolder, index: RunIndex, onWatched: (run: RunKey, watched: boolean) => void) {
    this.#session = session;
    this.#runs = runs;
    this.#index = index;
    this.#onWatched = onWatched;
  }

  add(run: RunKey, frame: WatchFrame): void {
    this.remove(frame.watch);
    const entry = this.#index.get(run);
    if (!entry || (entry.state === 'acknowledged' && !existsSync(this.#runs.file(run, RunFile.stdout)))) {
      return this.#sendGone(frame.watch);
    }
    try {
      this.#begin(run, frame);
    } catch {
      // The run's folder holds something that is no spool or no outcome.
      this.remove(frame.watch);
      return this.#sendGone(frame.watch);
    }
    this.#pump(frame.watch);
  }

  #sendGone(watch: number): void {
    this.#session.send({ t: 'watch-end', watch, outcome: 'gone', stdoutBytes: 0, stderrBytes: 0 });
  }

  #begin(run: RunKey, frame: WatchFrame): void {
    const outcome = this.#outcome(run);
    const streams = [
      ...this.#stream(run, 'stdout', frame.stdoutFrom, outcome),
      ...this.#stream(run, 'stderr', frame.stderrFrom, outcome),
    ];
    this.#watches.set(frame.watch, { run, frame, streams, credit: frame.creditBytes });
    this.#onWatched(run, true);
  }

  credit(watch: number, bytes: number): void {
    const found = this.#watches.get(watch);
    if (!found) return;
    found.credit += bytes;
    this.#pump(watch);
  }

  remove(watch: number): void {
    const found = this.#watches.get(watch);
    if (!found) return;
    this.#watches.delete(watch);
    for (const { reader } of found.streams) reader[Symbol.dispose]();
    if (![...this.#watches.values()].some((other) => other.run === found.run)) this.#onWatched(found.run, false);
  }

  /** The run has written more, or ended. */
  grew(run: RunKey): void {
    for (const [number, watch] of this.#watches) if (watch.run === run) this.#pump(number);
  }

  /** Runs with at least one watch. */
  runs(): RunKey[] {
    return [...new Set([...this.#watches.values()].map((watch) => watch.run))];
  }

  [Symbol.dispose](): void {
    for (const number of this.#watches.keys()) this.remove(number);
  }

  #stream(run: RunKey, stream: Stream, from: number | null, outcome: Outcome | undefined): WatchedStream[] {
    if (from === null) return [];
    const reader = new SpoolReader(this.#runs.file(run, RunFile[stream]));
    const { totalBytes } = reader.extent(streamLength(outcome, stream));
    return [{ stream, reader, offset: from < 0 ? Math.max(0, totalBytes + from) : from }];
  }

  #pump(number: number): void {
    try {
      this.#send(number);
    } catch {
      this.remove(number);
      this.#sendGone(number);
    }
  }

  #send(number: number): void {
    const watch = this.#watches.get(number);
    if (!watch) return;
    const outcome = this.#outcome(watch.run);
    if (!outcome && this.#hasEnded(watch.run)) {
      // The disk took nothing of this run; its result has told all there is.
      this.remove(number);
      return this.#sendGone(number);
    }
    let allSent = true;
    for (const stream of watch.streams) {
      const extent = stream.reader.extent(streamLength(outcome, stream.stream));
      this.#sendFrom(watch, number, stream, extent);
      if (stream.offset < extent.totalBytes) allSent = false;
    }
    if (!allSent || (watch.frame.follow && !outcome)) return;
    const [stdoutBytes, stderrBytes] = [lengthSent(watch, 'stdout'), lengthSent(watch, 'stderr')];
    this.remove(number);
    const what = outcome ? 'complete' : 'current';
    this.#session.send({ t: 'watch-end', watch: number, outcome: what, stdoutBytes, stderrBytes });
  }

  /** Sends as much as there is and credit allows. Over a hole in a spool that was too long to keep, it goes on behind. */
  #sendFrom(watch: Watch, number: number, stream: WatchedStream, extent: SpoolExtent): void {
    while (watch.credit > 0 && stream.offset < extent.totalBytes) {
      if (stream.offset >= extent.headBytes && stream.offset < extent.tailStart) stream.offset = extent.tailStart;
      const size = Math.min(OUTPUT_CHUNK_BYTES, watch.credit);
      const frame = Buffer.allocUnsafe(OUTPUT_HEADER_BYTES + size);
      const length = stream.reader.read(extent, stream.offset, frame.subarray(OUTPUT_HEADER_BYTES));
      if (length === 0) {
        // The kept end is shorter than the stream says (the disk refused it): there is no more to be had.
        stream.offset = extent.totalBytes;
        return;
      }
      writeOutputHeader(frame, number, stream.stream, stream.offset);
      this.#session.sendBinary(frame.subarray(0, OUTPUT_HEADER_BYTES + length));
      stream.offset += length;
      watch.credit -= length;
    }
  }

  #outcome(run: RunKey): Outcome | undefined {
    if (!this.#hasEnded(run)) return undefined;
    return this.#index.get(run)?.outcome ?? readOutcome(this.#runs, run);
  }

  #hasEnded(run: RunKey): boolean {
    const state = this.#index.get(run)?.state;
    return state === AgentRunState.ended || state === 'acknowledged';
  }
}

function streamLength(outcome: Outcome | undefined, stream: Stream): number | undefined {
  if (!outcome) return undefined;
  return stream === 'stdout' ? outcome.stdoutBytes : outcome.stderrBytes;
}

function lengthSent(watch: Watch, stream: Stream): number {
  return watch.streams.find((one) => one.stream === stream)?.offset ?? 0;
}
