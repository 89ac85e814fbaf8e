import { constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { errorCode } from '../../shared/errors.js';
import { closeQuietly, openPipe } from './libc.js';

/** What a pipe holds at most, bytes: more can't have been written before the moment drain() is called. */
const PIPE_BYTES = 64 * 1024;

/**
 * The reading side of a run's stderr. A named pipe, not a file: `echo x >/dev/stderr` in a script would reopen a file
 * at its beginning.
 */
export class StderrPipe {
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #onData: (data: Uint8Array) => void;
  /** keeps the pipe from ending before the launcher has opened it */
  #keeper: number | undefined;
  #open = true;

  /** `onEnd`: the last writer has closed it. It can only come after `letGo`. */
  constructor(path: string, onData: (data: Uint8Array) => void, onEnd: () => void) {
    this.#onData = onData;
    this.#keeper = openPipe(path);
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd: this.#fd, readable: true, writable: false });
    this.#socket.on('data', (data: Buffer) => onData(data));
    // Any end is reported as 'close' behind it.
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#open = false;
      onEnd();
    });
  }

  /** Reads what was written before this moment. What others go on writing can't make it endless. */
  drain(): void {
    const buffer = Buffer.allocUnsafe(PIPE_BYTES);
    for (let left = PIPE_BYTES; this.#open && left > 0;) {
      const length = this.#read(buffer.subarray(0, left));
      if (length === 0) return;
      this.#onData(buffer.subarray(0, length));
      left -= length;
    }
  }

  /** From now on the pipe ends when its last writer leaves. */
  letGo(): void {
    closeQuietly(this.#keeper);
    this.#keeper = undefined;
  }

  close(): void {
    this.letGo();
    this.#socket.destroy();
  }

  #read(into: Buffer): number {
    try {
      return readSync(this.#fd, into);
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') return 0;
      throw error;
    }
  }
}
