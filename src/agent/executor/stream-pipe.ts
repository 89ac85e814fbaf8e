import { constants, openSync, readSync, watch, type FSWatcher } from 'node:fs';
import { Socket } from 'node:net';
import { errorCode } from '../../shared/errors.js';
import type { SpoolSource } from '../runs/spool-writer.js';
import { closeQuietly, movePipeToFile, pipeBytes } from './libc.js';

/** Taken at a time, so that a script that floods it leaves room for others. */
const PIECE_BYTES = 256 * 1024;
/** Interval of reading without a notification: older kernels give none for writes by splice(2). */
const LOOK_MS = 200;

/**
 * The reading side of a run's stderr, and of its stdout where it has no terminal. A named pipe, not a file: `echo x
 * >/dev/stderr` in a script would reopen a file at its beginning. Until the run ends the kernel moves its bytes from pipe
 * to spool in one step, so that none is lost with this process.
 */
export class StreamPipe implements SpoolSource {
  readonly #fd: number;
  readonly #take: (source: SpoolSource, mostBytes: number) => number;
  readonly #onEnd: () => void;
  readonly #watcher: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout;
  #hasWriter = true;
  #isReleased = false;
  #rest: Socket | undefined;
  #lookAgain: NodeJS.Immediate | undefined;

  /**
   * `take`: has bytes moved from this source to where they belong. `onEnd`: the last writer has closed it; it can only
   * come after release().
   */
  constructor(path: string, take: (source: SpoolSource, mostBytes: number) => number, onEnd: () => void) {
    this.#take = take;
    this.#onEnd = onEnd;
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#watcher = watchWrites(path, () => this.#look());
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  moveTo(file: number, position: number, mostBytes: number): number {
    const moved = movePipeToFile(this.#fd, file, position, mostBytes);
    this.#hasWriter = moved !== undefined;
    return moved ?? 0;
  }

  read(into: Uint8Array): number {
    try {
      const length = readSync(this.#fd, into);
      this.#hasWriter = length > 0;
      return length;
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      this.#hasWriter = true;
      return 0;
    }
  }

  /**
   * Takes everything written before this moment, at most what a pipe holds: a writer that goes on can't keep it here.
   * Returns true if no writer is left.
   */
  drain(): boolean {
    if (this.#isReleased) return false;
    for (let left = pipeBytes(this.#fd); left > 0;) {
      const taken = this.#take(this, left);
      if (taken === 0) return !this.#hasWriter;
      left -= taken;
    }
    return false;
  }

  /** Throws away what still comes once the run has ended. The pipe ends when its last writer closes it. */
  release(): void {
    if (this.#isReleased) return;
    const isOver = this.drain();
    this.#isReleased = true;
    this.#stopLooking();
    if (isOver) {
      // The event loop would wait for ever: the kernel tells of the last writer's leaving only who was there before.
      closeQuietly(this.#fd);
      this.#onEnd();
      return;
    }
    this.#rest = new Socket({ fd: this.#fd, readable: true, writable: false });
    // Any end is reported as 'close' behind it.
    this.#rest.on('error', () => undefined);
    this.#rest.on('close', () => this.#onEnd());
    this.#rest.resume();
  }

  close(): void {
    this.release();
    this.#rest?.destroy();
  }

  #look(): void {
    if (this.#isReleased || this.#lookAgain) return;
    if (this.#take(this, PIECE_BYTES) === 0) return;
    this.#lookAgain = setImmediate(() => {
      this.#lookAgain = undefined;
      this.#look();
    });
  }

  #stopLooking(): void {
    this.#watcher?.close();
    clearInterval(this.#timer);
    clearImmediate(this.#lookAgain);
  }
}

/** Returns undefined where the kernel has no inotify watch left; the timer must do then. */
function watchWrites(path: string, onWrite: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, onWrite);
    watcher.on('error', () => undefined);
    return watcher;
  } catch {
    return undefined;
  }
}
