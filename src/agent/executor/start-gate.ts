import { existsSync } from 'node:fs';
import { isSameTask, type RunKey } from '../../shared/run-key.js';
import { RunFile, type RunsFolder } from '../runs/run-folder.js';
import { lookUpAccount } from './account.js';

/** Interval of the checks whether a run that another executor holds has ended. */
const LOOK_MS = 200;

/**
 * Holds runs back that may not start yet: a redo whose run before lives on, here or under an older executor, and a run
 * whose account a directory service has not named yet. Calls `onOpened` when one of them may have become free.
 */
export class StartGate {
  readonly #runs: RunsFolder;
  readonly #onOpened: () => void;
  readonly #elsewhere = new Set<RunKey>();
  readonly #lookingUp = new Set<RunKey>();
  #looking = false;

  constructor(runs: RunsFolder, onOpened: () => void) {
    this.#runs = runs;
    this.#onOpened = onOpened;
  }

  /** Another executor that lives has claimed this run, and it has not ended. */
  heldElsewhere(run: RunKey): void {
    this.#elsewhere.add(run);
  }

  /** Begins what takes long, out of process. Call it when a run begins to wait. */
  prepare(run: RunKey, account: string): void {
    const lookup = lookUpAccount(account);
    if (!lookup) return;
    this.#lookingUp.add(run);
    void this.#finishLookup(run, lookup);
  }

  mayStart(run: RunKey, active: readonly RunKey[]): boolean {
    if (this.#lookingUp.has(run) || active.some((other) => isSameTask(run, other))) return false;
    const before = [...this.#elsewhere].filter((other) => isSameTask(run, other) && !this.#isOver(other));
    if (before.length === 0) return true;
    this.#lookAgain();
    return false;
  }

  #lookAgain(): void {
    if (this.#looking) return;
    this.#looking = true;
    setTimeout(() => {
      this.#looking = false;
      this.#onOpened();
    }, LOOK_MS).unref();
  }

  async #finishLookup(run: RunKey, lookup: Promise<void>): Promise<void> {
    await lookup;
    this.#lookingUp.delete(run);
    this.#onOpened();
  }

  #isOver(run: RunKey): boolean {
    if (!existsSync(this.#runs.file(run, RunFile.exit))) return false;
    this.#elsewhere.delete(run);
    return true;
  }
}
