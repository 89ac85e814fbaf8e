import { constants, openSync, readSync, watch, type FSWatcher } from 'node:fs';
import { Socket } from 'node:net';
import { errorCode } from '../../shared/errors.js';
import type { SpoolSource } from '../runs/spool-writer.js';
import { closeQuietly, movePipeToFile, openPipe, pipeBytes } from './libc.js';

/** Taken at a time, so that a script that floods it leaves room for others. */
const PIECE_BYTES = 256 * 1024;
/** Programs that write by splice(2) ring no bell on older kernels: so often it is looked at all the same. */
const LOOK_MS = 200;

/**
 * The reading side of a run's stderr. A named pipe, not a file: `echo x >/dev/stderr` in a script would reopen a file
 * at its beginning. Until the run ends nothing of it is read by the event loop: its bytes go from the pipe to the spool
 * in one step of the kernel, so that none is lost with this process.
 */
export class StderrPipe implements SpoolSource {
  readonly #fd: number;
  readonly #take: (source: SpoolSource, mostBytes: number) => number;
  readonly #onEnd: () => void;
  readonly #bell: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout;
  /** keeps the pipe from ending before the launcher has opened it */
  #keeper: number | undefined;
  #rest: Socket | undefined;
  #lookAgain: NodeJS.Immediate | undefined;

  /**
   * `take`: has bytes moved from this source to where they belong. `onEnd`: the last writer has closed it; it can only
   * come after `letGo`.
   */
  constructor(path: string, take: (source: SpoolSource, mostBytes: number) => number, onEnd: () => void) {
    this.#take = take;
    this.#onEnd = onEnd;
    this.#keeper = openPipe(path);
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#bell = ringOnWrite(path, () => this.#look());
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  moveTo(file: number, position: number, mostBytes: number): number {
    return movePipeToFile(this.#fd, file, position, mostBytes);
  }

  read(into: Uint8Array): number {
    try {
      return readSync(this.#fd, into);
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') return 0;
      throw error;
    }
  }

  /** Takes what was written before this moment. What others go on writing can't make it endless. */
  drain(): void {
    if (this.#rest) return;
    for (let left = pipeBytes(this.#fd); left > 0;) {
      const taken = this.#take(this, left);
      if (taken === 0) return;
      left -= taken;
    }
  }

  /** The run has ended: what still comes is thrown away, and the pipe ends when its last writer leaves. */
  letGo(): void {
    if (this.#rest) return;
    this.#stopLooking();
    closeQuietly(this.#keeper);
    this.#keeper = undefined;
    this.#rest = new Socket({ fd: this.#fd, readable: true, writable: false });
    // Any end is reported as 'close' behind it.
    this.#rest.on('error', () => undefined);
    this.#rest.on('close', () => this.#onEnd());
    this.#rest.resume();
  }

  close(): void {
    this.letGo();
    this.#rest?.destroy();
  }

  #look(): void {
    if (this.#rest || this.#lookAgain) return;
    if (this.#take(this, PIECE_BYTES) === 0) return;
    this.#lookAgain = setImmediate(() => {
      this.#lookAgain = undefined;
      this.#look();
    });
  }

  #stopLooking(): void {
    this.#bell?.close();
    clearInterval(this.#timer);
    clearImmediate(this.#lookAgain);
  }
}

/** Undefined where the kernel has no watch left to give; the timer must do then. */
function ringOnWrite(path: string, onWrite: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, onWrite);
    watcher.on('error', () => undefined);
    return watcher;
  } catch {
    return undefined;
  }
}
