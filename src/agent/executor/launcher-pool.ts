import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureSubfolder } from '../../shared/folder.js';
import type { RunsFolder } from '../runs/run-folder.js';
import { launcherEnvironment } from './environment.js';
import { Launcher } from './launcher.js';

/** Launchers kept waiting. A larger burst of scripts starts launchers of its own. */
const WAITING = 3;
/** Delay from a start to the making of new launchers, which a script's end cuts short: a burst needs the processor. */
const QUIET_MS = 50;
/** Waiting launchers are replaced this often: to other programs a script looks as old as its launcher. */
const RENEW_MS = 600_000;
/** Patience with launchers that were sent away. */
const LEAVE_MS = 1_000;

/**
 * Keeps launchers ready, so that neither a fork of this process nor the start of a shell lies between an assignment and
 * its script. They wait beside the run folders, where their pipes can be moved into one.
 */
export class LauncherPool {
  readonly #folder: string;
  readonly #pagers: string;
  readonly #instance: string;
  readonly #waiting = new Set<Launcher>();
  #made = 0;
  #filling: Promise<void> | undefined;
  #isClosed = false;
  #fillTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;

  /** `instance`: of this executor; files of another, dead executor are told apart by it. */
  constructor(runs: RunsFolder, instance: string) {
    this.#folder = launchersFolder(runs);
    this.#pagers = runs.pagers;
    this.#instance = instance;
  }

  /**
   * Returns a launcher whose pipes are in this folder: a waiting one, or else a new one for this run alone. `terminal`: the
   * script runs on a terminal. Throws if no launcher can be started.
   */
  take(folder: string, terminal: boolean): Launcher {
    clearTimeout(this.#fillTimer);
    this.#fillTimer = setTimeout(() => void this.fill(), QUIET_MS).unref();
    const ready = [...this.#waiting].find((launcher) => launcher.ready);
    if (ready) {
      this.#waiting.delete(ready);
      try {
        ready.moveTo(folder, terminal);
        return ready;
      } catch {
        // Somebody deleted the folder in which the launcher waited. It has started nothing and never will.
        ready.dismiss();
      }
    }
    return new Launcher(`${folder}/`, launcherEnvironment(this.#pagers), !terminal);
  }

  /** Makes as many ready as are missing, one after the other. Resolves when they are. */
  async fill(): Promise<void> {
    this.#filling ??= this.#fill();
    await this.#filling;
    this.#filling = undefined;
  }

  /** Sends all away that wait. Resolves when they are gone; until then none is made ready any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#fillTimer);
    clearInterval(this.#renewTimer);
    const leaving = [...this.#waiting].map((launcher) => launcher.exited);
    this.#dismissAll();
    await Promise.race([Promise.all(leaving), wait(LEAVE_MS, undefined, { ref: false })]);
  }

  async #fill(): Promise<void> {
    if (!this.#isClosed) this.#renewTimer ??= setInterval(() => this.#renew(), RENEW_MS).unref();
    while (!this.#isClosed && this.#waiting.size < WAITING) {
      const launcher = this.#make();
      if (!launcher) return;
      this.#waiting.add(launcher);
      void this.#removeOnExit(launcher);
      await launcher.settled;
      // Where launchers can't live, more of them would not either.
      if (!launcher.ready) return;
    }
  }

  #make(): Launcher | undefined {
    try {
      ensureSubfolder(this.#folder, 0o700);
      return new Launcher(
        join(this.#folder, `${this.#instance}.${this.#made++}.`),
        launcherEnvironment(this.#pagers),
        true,
      );
    } catch {
      // A script that is to be started will meet the reason, and tell it.
      return undefined;
    }
  }

  async #removeOnExit(launcher: Launcher): Promise<void> {
    await launcher.exited;
    if (this.#waiting.delete(launcher)) launcher.dismiss();
  }

  #renew(): void {
    this.#dismissAll();
    void this.fill();
  }

  #dismissAll(): void {
    for (const launcher of this.#waiting) launcher.dismiss();
    this.#waiting.clear();
  }
}

/** Removes the files of dead executors' waiting launchers. The launchers themselves leave with their terminals. */
export function removeDeadLaunchers(runs: RunsFolder, living: ReadonlySet<string>): void {
  const folder = launchersFolder(runs);
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const [instance = ''] = name.split('.');
    if (!living.has(instance)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function launchersFolder(runs: RunsFolder): string {
  return join(runs.path, '.launchers');
}
