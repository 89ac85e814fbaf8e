/** What came over a WebSocket, in order, for tests that wait for the next thing of a kind. */
export class FrameQueue<T> {
  readonly #frames: T[] = [];
  readonly #waiting: { readonly wanted: (frame: T) => boolean; readonly resolve: (frame: T) => void }[] = [];

  push(frame: T): void {
    const index = this.#waiting.findIndex(({ wanted }) => wanted(frame));
    const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (waiting) waiting.resolve(frame);
    else this.#frames.push(frame);
  }

  /** The first frame, come or to come, that is wanted; those before it stay. */
  next<W extends T>(wanted: (frame: T) => frame is W): Promise<W> {
    const index = this.#frames.findIndex(wanted);
    const [found] = index < 0 ? [] : this.#frames.splice(index, 1);
    if (found !== undefined && wanted(found)) return Promise.resolve(found);
    return new Promise((resolve) => {
      this.#waiting.push({
        wanted,
        resolve: (frame) => {
          if (wanted(frame)) resolve(frame);
        },
      });
    });
  }

  /** Frames that came and were not taken. */
  get rest(): readonly T[] {
    return this.#frames;
  }
}
