import { join } from 'node:path';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import { RunFile } from '../runs/run-folder.js';
import type { OpenStream } from './ended-script.js';
import type { RunOutput } from './run-output.js';
import { StreamPipe } from './stream-pipe.js';

/** The streams of a script that come through pipes in its run folder, from these to their spools. */
export class RunPipes {
  readonly streams: readonly OpenStream[];
  /** after release(): no process has any of them open to write */
  readonly ended: Promise<void>;
  readonly #pipes: readonly StreamPipe[];

  /** Throws, and leaves nothing open, if a pipe is not there. */
  constructor(folder: string, names: readonly Stream[], output: RunOutput) {
    const pipes: StreamPipe[] = [];
    const ends: Promise<void>[] = [];
    const streams: OpenStream[] = [];
    this.#pipes = pipes;
    try {
      for (const name of names) {
        const path = join(folder, RunFile[`${name}Pipe`]);
        const end = Promise.withResolvers<void>();
        const pipe = new StreamPipe(path, (source, bytes) => output.take(name, source, bytes), end.resolve);
        pipes.push(pipe);
        ends.push(end.promise);
        streams.push({ name, path, look: () => (pipe.drain() ? 'over' : 'held') });
      }
    } catch (error) {
      this.close();
      throw error;
    }
    this.streams = streams;
    this.ended = Promise.all(ends).then(() => undefined);
  }

  /** Throws away what still comes. */
  release(): void {
    for (const pipe of this.#pipes) pipe.release();
  }

  close(): void {
    for (const pipe of this.#pipes) pipe.close();
  }
}
