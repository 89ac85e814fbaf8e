import { rmSync, statfsSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import { AgentRunState } from '../../shared/protocol/agent-frames.js';
import {
  cutOutput,
  measureRun,
  planRetention,
  RETENTION,
  stripRun,
  type EndedRun,
  type RetentionLimits,
} from '../runs/retention.js';
import type { RunsFolder } from '../runs/run-folder.js';
import type { RunIndex } from './run-index.js';

const FIRST_MS = 60_000;
const EVERY_MS = 600_000;
const ROOM_AGAIN_MS = 10_000;
/** A disk with less free space than this counts as full. */
const FULL_BYTES = 1024 * 1024;

/** Keeps what ended runs take on disk within its limits, a folder at a time so that nothing else waits for it. */
export class RetentionJob implements Disposable {
  readonly #runs: RunsFolder;
  readonly #index: RunIndex;
  readonly #log: Log;
  #timer: NodeJS.Timeout;
  #madeRoomMs = Number.NEGATIVE_INFINITY;

  constructor(runs: RunsFolder, index: RunIndex, log: Log) {
    this.#runs = runs;
    this.#index = index;
    this.#log = log;
    this.#timer = setTimeout(() => void this.#round(), FIRST_MS).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    try {
      await this.#clean(RETENTION);
    } catch (error) {
      this.#log.warn({ err: describeError(error) }, 'cannot clear away what old runs left');
    }
    this.#timer = setTimeout(() => void this.#round(), EVERY_MS).unref();
  }

  /**
   * Something could not be written. If that is because the disk is full, the output of every run that a server has
   * stored is given up, at most once in ten seconds.
   */
  makeRoom(): void {
    const nowMs = performance.now();
    if (nowMs - this.#madeRoomMs < ROOM_AGAIN_MS || freeBytes(this.#runs.path) > FULL_BYTES) return;
    this.#madeRoomMs = nowMs;
    this.#clean({ ...RETENTION, outputBytes: 0 }).catch((error: unknown) => {
      this.#log.warn({ err: describeError(error) }, 'cannot clear away what old runs left');
    });
  }

  async #clean(limits: RetentionLimits): Promise<void> {
    const ended: EndedRun[] = [];
    for (const { run, state } of this.#index.list()) {
      if (state !== AgentRunState.ended && state !== 'acknowledged') continue;
      const measured = measureRun(this.#runs, run);
      if (measured) ended.push(measured);
      await turn();
    }
    const plan = planRetention(ended, Date.now(), limits);
    for (const run of plan.remove) {
      rmSync(this.#runs.folder(run), { recursive: true, force: true });
      this.#index.remove(run);
      await turn();
    }
    for (const run of plan.strip) {
      stripRun(this.#runs, run);
      await turn();
    }
    for (const run of plan.cut) {
      cutOutput(this.#runs, run);
      this.#index.update(run, { outcome: undefined });
      await turn();
    }
    const { remove, strip, cut } = plan;
    const counts = { removed: remove.length, stripped: strip.length, cut: cut.length };
    if (remove.length + strip.length + cut.length > 0) this.#log.info(counts, 'cleared away what old runs left');
  }
}

/** Returns infinity where the free space is unknown, as of a folder that is gone. */
function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
