import { existsSync, readdirSync } from 'node:fs';
import { runsDigest } from '../../shared/protocol/runs-digest.js';
import { AgentRunState, type AgentRun } from '../../shared/protocol/agent-frames.js';
import { parseRunKey, type RunKey } from '../../shared/run-key.js';
import type { Outcome } from '../runs/outcome.js';
import { RunFile, type RunsFolder } from '../runs/run-folder.js';

/** acknowledged: a server has stored the outcome; the folder stays as a tombstone. */
export type IndexedState = AgentRunState | 'acknowledged';

export interface IndexedRun {
  readonly run: RunKey;
  readonly cluster8: string;
  readonly taskId: number;
  readonly clock: number;
  readonly state: IndexedState;
  /** wall clock, ms; known of runs started during this process's life */
  readonly startedMs: number | undefined;
  /** instance of the server that assigned it to this process */
  readonly assignedBy: string | undefined;
  /** last moment of start, ms of the monotonic clock; for runs not started yet */
  readonly startBeforeMonoMs: number | undefined;
  /** id of the cluster that wants it ended; sent to each new executor until it has ended */
  readonly killedBy?: string;
  /** of a run that ended during this process's life, until it is on disk and acknowledged */
  readonly outcome?: Outcome | undefined;
}

/** Every run this MetaDir has a trace of, in memory. The run folders are the truth; this is read from them at start. */
export class RunIndex {
  readonly #runs = new Map<RunKey, IndexedRun>();
  readonly #unacknowledged = new Set<RunKey>();
  readonly #digests = new Map<string, { readonly runs: number; readonly digest: string }>();

  /**
   * Folders without a claim are passed over: nothing was started, and the server assigns again what it still wants.
   * A claimed run without an outcome counts as running until an executor says otherwise.
   */
  static read(folder: RunsFolder): RunIndex {
    const index = new RunIndex();
    for (const run of readdirSync(folder.path)) {
      const entry = newEntry(run);
      const state = entry && stateOnDisk(folder, run);
      if (entry && state) index.put({ ...entry, state });
    }
    return index;
  }

  get(run: RunKey): IndexedRun | undefined {
    return this.#runs.get(run);
  }

  put(entry: IndexedRun): void {
    this.#runs.set(entry.run, entry);
    if (entry.state === 'acknowledged') this.#unacknowledged.delete(entry.run);
    else this.#unacknowledged.add(entry.run);
    this.#digests.delete(entry.cluster8);
  }

  /** Also for a run that was not known: a folder without a claim is passed over at start, but may be started later. */
  update(run: RunKey, change: Partial<Omit<IndexedRun, 'run' | 'cluster8' | 'taskId' | 'clock'>>): void {
    const entry = this.#runs.get(run) ?? newEntry(run);
    if (entry) this.put({ ...entry, ...change });
  }

  remove(run: RunKey): void {
    const entry = this.#runs.get(run);
    if (!entry) return;
    this.#runs.delete(run);
    this.#unacknowledged.delete(run);
    this.#digests.delete(entry.cluster8);
  }

  list(): IndexedRun[] {
    return [...this.#runs.values()];
  }

  /** Lists the runs of a task that have not ended, whatever their clock. */
  openOf(cluster8: string, taskId: number): IndexedRun[] {
    return this.#open().filter(
      (entry) =>
        entry.taskId === taskId &&
        entry.cluster8 === cluster8 &&
        (entry.state === AgentRunState.accepted || entry.state === AgentRunState.running),
    );
  }

  /** Lists the runs of a cluster that its servers have not acknowledged, as they are told when a session opens. */
  listFor(cluster8: string): AgentRun[] {
    const list: AgentRun[] = [];
    for (const { cluster8: of, taskId, clock, state } of this.#open()) {
      if (of === cluster8 && state !== 'acknowledged') list.push({ taskId, clock, state });
    }
    return list;
  }

  /** Lists the runs without the tombstones, of which there may be many thousands. */
  #open(): IndexedRun[] {
    return [...this.#unacknowledged].flatMap((run) => this.#runs.get(run) ?? []);
  }

  /** Number and digest of the runs accepted or running. */
  current(cluster8: string): { readonly runs: number; readonly digest: string } {
    let current = this.#digests.get(cluster8);
    if (!current) {
      const list = this.listFor(cluster8).filter((run) => run.state !== AgentRunState.ended);
      current = { runs: list.length, digest: runsDigest(list) };
      this.#digests.set(cluster8, current);
    }
    return current;
  }
}

function newEntry(run: RunKey): IndexedRun | undefined {
  const id = parseRunKey(run);
  const none = { startedMs: undefined, assignedBy: undefined, startBeforeMonoMs: undefined };
  return id && { run, ...id, ...none, state: AgentRunState.running };
}

/** Reads a run's state from its folder; undefined for a run that was never claimed. */
export function stateOnDisk(folder: RunsFolder, run: RunKey): IndexedState | undefined {
  if (existsSync(folder.file(run, RunFile.acknowledged))) return 'acknowledged';
  if (existsSync(folder.file(run, RunFile.exit))) return AgentRunState.ended;
  return existsSync(folder.file(run, RunFile.claim)) ? AgentRunState.running : undefined;
}
