import type { Stream, WatchEndFrame } from '../../shared/protocol/agent-frames.js';
import { OUTPUT_CHUNK_BYTES } from '../../shared/protocol/limits.js';
import type { RunId } from '../../shared/run-key.js';
import type { Watch, WatchRequest, WatchSink } from '../agents/session-watches.js';
import type { LiveOutput, LiveTexts } from './live-output.js';
import type { ReportedTask } from './rpc-codec.js';
import { startClockOf } from './wire-clock.js';

interface OpenWatch {
  readonly run: RunId;
  readonly sink: WatchSink;
  /** next byte of each stream; null: not wanted */
  readonly next: Record<Stream, number | null>;
  credit: number;
}

const STREAMS: readonly Stream[] = ['stdout', 'stderr'];

/**
 * The watches of scripts of one agent. Each report's text that goes on from the one before is sent as output. At its
 * end a run is said to be gone from here: what is left to show is stored by then, in the same words.
 */
export class LegacyWatches {
  readonly #live: LiveOutput;
  readonly #open = new Set<OpenWatch>();

  constructor(live: LiveOutput) {
    this.#live = live;
  }

  start(request: WatchRequest, alive: boolean, sink: WatchSink): Watch {
    const { taskId, clock, stdoutFrom, stderrFrom, creditBytes, follow } = request;
    const texts = this.#live.get(taskId, clock);
    const next = { stdout: startOf(stdoutFrom, texts?.stdout), stderr: startOf(stderrFrom, texts?.stderr) };
    const watch: OpenWatch = { run: { taskId, clock }, sink, next, credit: creditBytes };
    this.#open.add(watch);
    // The caller has to have its watch in hand before anything comes of it.
    queueMicrotask(() => {
      this.#send(watch);
      if (!follow) this.#end(watch, texts ? 'current' : 'gone', texts);
      else if (!alive) this.#end(watch, 'gone', texts);
    });
    return {
      credit: (bytes) => {
        watch.credit += bytes;
        queueMicrotask(() => this.#send(watch));
      },
      [Symbol.dispose]: () => void this.#open.delete(watch),
    };
  }

  /** Takes the output of these tasks from a report, as far as they are the runs that are under way. */
  show(alive: ReadonlyMap<number, ReportedTask>, open: ReadonlyMap<number, RunId>): void {
    for (const task of alive.values()) {
      const { taskId, status } = task;
      // An agent that was queried in vain has no output; an earlier report may have had some.
      if (status === '') continue;
      const clock = startClockOf(task.clock);
      if (open.get(taskId)?.clock !== clock || !this.#live.update(task, clock)) continue;
      for (const watch of this.#of(taskId, clock)) this.#send(watch);
    }
  }

  /** The run's end is stored, or it is lost. */
  ended(taskId: number, clock: number): void {
    this.#live.forget(taskId, clock);
    for (const watch of this.#of(taskId, clock)) this.#end(watch, 'gone', undefined);
  }

  lose(): void {
    const open = [...this.#open];
    this.#open.clear();
    for (const { sink } of open) sink.lost();
  }

  #of(taskId: number, clock: number): OpenWatch[] {
    return [...this.#open].filter(({ run }) => run.taskId === taskId && run.clock === clock);
  }

  #send(watch: OpenWatch): void {
    const texts = this.#live.get(watch.run.taskId, watch.run.clock);
    if (!texts) return;
    for (const stream of STREAMS) {
      for (;;) {
        const from = watch.next[stream];
        if (from === null || watch.credit === 0 || from >= texts[stream].length || !this.#open.has(watch)) break;
        const data = texts[stream].subarray(from, from + Math.min(watch.credit, OUTPUT_CHUNK_BYTES));
        watch.next[stream] = from + data.length;
        watch.credit -= data.length;
        watch.sink.output({ t: 'output', channel: 0, stream, offset: from, data });
      }
    }
  }

  #end(watch: OpenWatch, outcome: WatchEndFrame['outcome'], texts: LiveTexts | undefined): void {
    if (!this.#open.delete(watch)) return;
    const [stdoutBytes, stderrBytes] = [texts?.stdout.length ?? 0, texts?.stderr.length ?? 0];
    watch.sink.end({ t: 'watch-end', watch: 0, outcome, stdoutBytes, stderrBytes });
  }
}

/** A negative offset counts back from the end, as in a watch frame. */
function startOf(from: number | null, text: Buffer | undefined): number | null {
  if (from === null || from >= 0) return from;
  return Math.max(0, (text?.length ?? 0) + from);
}
