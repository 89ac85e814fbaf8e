import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { monotonicMs } from '../../runs/boot.js';
import { writeAssignment, type Assignment } from '../../runs/assignment.js';
import type { Outcome } from '../../runs/outcome.js';
import { RunFile, RunsFolder } from '../../runs/run-folder.js';
import type { ToLink } from '../../runs/control-messages.js';
import { Executor } from '../executor.js';
import { closeInheritedOnExec } from '../libc.js';

// The test's runner may have left descriptors open, which scripts would inherit.
closeInheritedOnExec();

export interface Bench {
  readonly runs: RunsFolder;
  readonly executor: Executor;
  start(
    script: string,
    more?: Partial<Assignment> & { readonly stdin?: string; readonly startBeforeMonoMs?: number },
  ): string;
  finished(run: string): Promise<Finished>;
  started(run: string): Promise<unknown>;
  kill(run: string, tombstone?: boolean): void;
}

export interface Finished extends Outcome {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** A real executor in this process on a folder of its own; what it tells is kept, so that no message can be missed. */
export function bench(
  t: TestContext,
  options: { readonly maxRuns?: number; readonly killGraceMs?: number } = {},
): Bench {
  const metaDir = mkdtempSync(join(tmpdir(), 'ibex-executor-'));
  const runs = new RunsFolder(metaDir);
  mkdirSync(runs.path);
  const told = new Map<string, PromiseWithResolvers<ToLink>>();
  const waitFor = (message: string, run: string): PromiseWithResolvers<ToLink> => {
    const name = `${message} ${run}`;
    const waiting = told.get(name) ?? Promise.withResolvers<ToLink>();
    told.set(name, waiting);
    return waiting;
  };
  const tell = (message: ToLink): void => {
    if ('run' in message) waitFor(message.t, message.run).resolve(message);
  };
  const executor = new Executor(
    runs,
    {
      instance: 'test',
      maxRuns: options.maxRuns ?? 256,
      killGraceMs: options.killGraceMs ?? 5_000,
      ignoreAccount: false,
    },
    tell,
    () => undefined,
  );
  t.after(async () => {
    await executor.stop();
    rmSync(metaDir, { recursive: true, force: true });
  });
  let task = 0;
  return {
    runs,
    executor,
    start(script, { stdin = '', startBeforeMonoMs = monotonicMs() + 60_000, ...more } = {}) {
      task++;
      const run = `0123abcd-${task}-1`;
      const assignment = {
        cluster: '0123abcd',
        host: 'h',
        taskId: task,
        clock: 1,
        account: 'root',
        args: [],
        timeoutMs: 60_000,
        terminal: true,
      };
      writeAssignment(runs, run, { ...assignment, ...more }, script, stdin);
      executor.handle({ t: 'start', run, startBeforeMonoMs });
      return run;
    },
    async finished(run) {
      const message = await waitFor('ended', run).promise;
      assert.ok(message.t === 'ended');
      const { outcome } = message;
      const read = (name: RunFile): Buffer =>
        existsSync(runs.file(run, name)) ? readFileSync(runs.file(run, name)) : Buffer.alloc(0);
      return { ...outcome, stdout: read(RunFile.stdout), stderr: read(RunFile.stderr) };
    },
    started: (run) => waitFor('started', run).promise,
    kill: (run, tombstone = false) => executor.handle({ t: 'kill', run, cluster: '0123abcd', host: 'h', tombstone }),
  };
}

export async function runScript(
  t: TestContext,
  script: string,
  more: Parameters<Bench['start']>[1] = {},
): Promise<Finished> {
  const b = bench(t);
  return b.finished(b.start(script, more));
}
