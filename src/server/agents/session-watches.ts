import { ProtocolError } from '../../shared/errors.js';
import type {
  CreditFrame,
  OutputFrame,
  UnwatchFrame,
  WatchEndFrame,
  WatchFrame,
} from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';

/** Receives the output of a watched run until one of `end` and `lost` is called, or the watch is disposed. */
export interface WatchSink {
  /** `data` is gone when this returns */
  output(frame: OutputFrame): void;
  end(frame: WatchEndFrame): void;
  /** the session ended first */
  lost(): void;
}

export interface Watch extends Disposable {
  /** Lets the agent send so many bytes more. */
  credit(bytes: number): void;
}

export type WatchRequest = Omit<WatchFrame, 't' | 'watch'>;

interface OpenWatch {
  readonly sink: WatchSink;
  /** bytes the agent may still send */
  credit: number;
}

const MAX_NUMBER = 0xffff_ffff;

/** The watches of one session. It buffers nothing: sinks pass output on, and credit bounds how much comes. */
export class SessionWatches {
  readonly #open = new Map<number, OpenWatch>();
  readonly #send: (frame: WatchFrame | CreditFrame | UnwatchFrame) => void;
  #last = 0;

  constructor(send: (frame: WatchFrame | CreditFrame | UnwatchFrame) => void) {
    this.#send = send;
  }

  start(request: WatchRequest, sink: WatchSink): Watch {
    const watch = this.#nextNumber();
    const open: OpenWatch = { sink, credit: request.creditBytes };
    this.#open.set(watch, open);
    this.#send({ t: 'watch', watch, ...request });
    return {
      credit: (bytes) => {
        if (bytes <= 0 || this.#open.get(watch) !== open) return;
        open.credit += bytes;
        this.#send({ t: 'credit', watch, bytes });
      },
      [Symbol.dispose]: () => {
        if (this.#open.get(watch) !== open) return;
        this.#open.delete(watch);
        this.#send({ t: 'unwatch', watch });
      },
    };
  }

  /** Output of a watch that has been given up crosses the word of it, and is dropped. Throws ProtocolError. */
  output(frame: OutputFrame): void {
    const open = this.#open.get(frame.channel);
    if (!open) return;
    open.credit -= frame.data.length;
    if (open.credit < 0) throw new ProtocolError(CloseCode.badFrame, 'output beyond the credit of its watch');
    open.sink.output(frame);
  }

  end(frame: WatchEndFrame): void {
    const open = this.#open.get(frame.watch);
    this.#open.delete(frame.watch);
    open?.sink.end(frame);
  }

  /** The session has ended. */
  lose(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { sink } of open) sink.lost();
  }

  #nextNumber(): number {
    do {
      this.#last = this.#last === MAX_NUMBER ? 1 : this.#last + 1;
    } while (this.#open.has(this.#last));
    return this.#last;
  }
}
