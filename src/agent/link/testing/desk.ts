import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Log } from '../../../shared/log.js';
import { until } from '../../../shared/testing/until.js';
import type { ToLink } from '../../runs/control-messages.js';
import { writeAssignment } from '../../runs/assignment.js';
import { readIfThere } from '../../runs/json-file.js';
import { monotonicMs } from '../../runs/boot.js';
import type { ExecutorSettings } from '../../runs/executor-setup.js';
import { findExecutors } from '../../runs/executor-entry.js';
import { readOutcome, type Outcome } from '../../runs/outcome.js';
import { isProcessAlive, signalProcess } from '../../runs/process-identity.js';
import { RunFile, RunsFolder } from '../../runs/run-folder.js';
import { Executors } from '../executors.js';

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
export const RUN = '0123abcd-1-1';
export const OTHER_RUN = '0123abcd-2-1';

interface LinkOptions {
  readonly settings?: Partial<ExecutorSettings>;
  readonly log?: Log;
  readonly onTrouble?: () => void;
}

/** A link's view of real executor processes on a MetaDir of its own; every message is kept. */
export class Desk {
  readonly metaDir = mkdtempSync(join(tmpdir(), 'ibex-executors-'));
  readonly runs = new RunsFolder(this.metaDir);
  readonly heard: ToLink[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(t: TestContext) {
    mkdirSync(this.runs.path);
    t.after(async () => {
      for (const executor of findExecutors(this.metaDir)) {
        signalProcess(executor, 'SIGTERM');
        await until('the executor is gone', () => !isProcessAlive(executor));
      }
      rmSync(this.metaDir, { recursive: true });
    });
  }

  link({ settings: changed, log = silent, onTrouble = () => undefined }: LinkOptions = {}): Executors {
    const settings = { maxRuns: 10, killGraceMs: 1_000, ignoreAccount: false, ...changed };
    return new Executors({ metaDir: this.metaDir, settings, onTrouble }, log, (message) => {
      this.heard.push(message);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  start(link: Executors, script: string, { run = RUN, terminal = true } = {}): void {
    const assignment = {
      cluster: '0123abcd',
      host: 'h',
      taskId: run === RUN ? 1 : 2,
      clock: 1,
      account: 'root',
      args: [],
      timeoutMs: 60_000,
      terminal,
    };
    writeAssignment(this.runs, run, assignment, script, '');
    link.send({ t: 'start', run, startBeforeMonoMs: monotonicMs() + 60_000 });
  }

  count(type: ToLink['t']): number {
    return this.heard.filter((message) => message.t === type).length;
  }

  /** Resolves once so many messages of this type were heard. */
  async hears(type: ToLink['t'], times = 1): Promise<void> {
    while (this.count(type) < times) await new Promise<void>((wake) => this.#waiting.push(wake));
  }

  async printed(text: string): Promise<void> {
    await until(`the script has printed ${text}`, () => this.stdout().includes(text));
  }

  stdout(): string {
    return readIfThere(this.runs.file(RUN, RunFile.stdout)) ?? '';
  }

  stderr(): string {
    return readFileSync(this.runs.file(RUN, RunFile.stderr), 'utf8');
  }

  hasOutcome(): boolean {
    return existsSync(this.runs.file(RUN, RunFile.exit));
  }

  /** As told, or as found on disk. */
  outcome(): Outcome {
    const told = this.heard.find((message) => message.t === 'ended');
    const outcome = told?.outcome ?? readOutcome(this.runs, RUN);
    assert.ok(outcome);
    return outcome;
  }

  killExecutor(): void {
    const [executor] = findExecutors(this.metaDir);
    assert.ok(executor && signalProcess(executor, 'SIGKILL'));
  }

  /** Writes a file into the first run's folder. */
  write(name: string, text = ''): void {
    writeFileSync(join(this.runs.folder(RUN), name), text);
  }
}
