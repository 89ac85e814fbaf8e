import { Backoff } from '../../shared/backoff.js';
import { describeError, errorCode } from '../../shared/errors.js';
import type { RunKey } from '../../shared/run-key.js';
import { ensureSubfolder } from '../../shared/folder.js';
import { faultPoint } from '../runs/fault-point.js';
import { writeOutcome, type Outcome } from '../runs/outcome.js';
import type { RunsFolder } from '../runs/run-folder.js';
import type { RunOutput } from './run-output.js';

/** Pauses between attempts at a disk that refuses an outcome. */
const WRITE_AGAIN = Object.freeze({ firstMs: 1_000, maxMs: 30_000 });

/**
 * Makes outcomes durable, right after the turn of the event loop in which they became known. Bounded by the runs that
 * end while the disk refuses to write.
 */
export class OutcomeWriter {
  readonly #runs: RunsFolder;
  readonly #onRefused: (run: RunKey, why: string) => void;
  readonly #onAllWritten: () => void;
  readonly #waiting = new Map<RunKey, { readonly outcome: Outcome; readonly output: RunOutput | undefined }>();
  readonly #backoff = new Backoff(WRITE_AGAIN);
  #again: NodeJS.Timeout | undefined;

  constructor(runs: RunsFolder, onRefused: (run: RunKey, why: string) => void, onAllWritten: () => void) {
    this.#runs = runs;
    this.#onRefused = onRefused;
    this.#onAllWritten = onAllWritten;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  has(run: RunKey): boolean {
    return this.#waiting.has(run);
  }

  list(): (readonly [RunKey, Outcome])[] {
    return [...this.#waiting].map(([run, { outcome }]) => [run, outcome]);
  }

  /** `output`: its streams are made durable first. */
  add(run: RunKey, outcome: Outcome, output: RunOutput | undefined): void {
    this.#waiting.set(run, { outcome, output });
    setImmediate(() => this.#write());
  }

  /** Writes all waiting outcomes once. An outcome that the disk refuses now is lost with this process. */
  flush(): void {
    this.#write();
    clearTimeout(this.#again);
  }

  #makeFolder(run: RunKey): void {
    try {
      ensureSubfolder(this.#runs.folder(run), 0o711);
    } catch {
      // The next attempt to write the outcome reports what is in the way.
    }
  }

  #write(): void {
    for (const [run, { outcome, output }] of this.#waiting) {
      try {
        faultPoint('before-outcome');
        output?.close();
        writeOutcome(this.#runs, run, outcome);
        faultPoint('outcome-written');
        this.#waiting.delete(run);
      } catch (error) {
        // The script, or somebody else, has deleted its folder. Its name at least must be there again.
        if (errorCode(error) === 'ENOENT') this.#makeFolder(run);
        this.#onRefused(run, describeError(error));
      }
    }
    clearTimeout(this.#again);
    if (this.#waiting.size > 0) {
      this.#again = setTimeout(() => this.#write(), this.#backoff.nextMs());
      return;
    }
    this.#backoff.reset();
    this.#onAllWritten();
  }
}
