import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isProcessAlive, readStat } from '../runs/process-identity.js';
import { ActiveRun } from './active-run.js';
import { RunOutput } from './run-output.js';
import type { RunningScript } from './running-script.js';
import { ScriptTree } from './script-tree.js';

test('a killed run whose launcher does not come to the script takes the launcher along', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-active-run-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const child = spawn('/bin/sh', ['-c', 'trap : TERM; sleep 300; sleep 300'], { detached: true, stdio: 'ignore' });
  const launcher = readStat(child.pid ?? 0) ?? assert.fail('not started');
  const never = new Promise<never>(() => undefined);
  const script: RunningScript = {
    claim: {
      format: 1,
      cluster: 'c',
      host: 'h',
      bootId: 'b',
      executor: 'e',
      taskId: 1,
      clock: 1,
      claimedMs: 1,
      claimedMonoMs: 1,
      timeoutMs: 1,
    },
    startedMs: 1,
    ended: never,
    released: never,
    hasExited: () => false,
    stopWaiting: () => undefined,
    tree: () => undefined,
    launcherTree: () => new ScriptTree(launcher, undefined, process.pid),
  };
  const output = new RunOutput(folder, () => undefined);
  const run = new ActiveRun(script, output, 60_000, 300, () => undefined);
  run.terminate('kill');
  assert.equal((await run.outcome).status, 'killed');
  assert.equal(isProcessAlive(launcher), false);
});
