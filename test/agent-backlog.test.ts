import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, executors } from '../scripts/start/processes.js';
import { systemTests } from './harness/system-test.ts';
import type { World } from './harness/world.ts';
import { waitFor } from './harness/wait-for.ts';

const OLD_RUNS = 10_000;
const RESULTS = 300;

/** A run as it lies on disk long after its end. */
function writeOldRun(runs: string, taskId: number): void {
  const folder = join(runs, `0123abcd-${taskId}-5`);
  const run = { taskId, clock: 5 };
  const claim = { ...run, format: 1, cluster: '0123abcd', host: 'h', bootId: 'b', executor: 'e', claimedMs: 1 };
  const outcome = { ...run, status: 'success', exitCode: 0, signal: null, reason: null, startedMs: 1, endedMs: 2 };
  const streams = { stdoutBytes: 3, stderrBytes: 0, stdoutTruncated: false, stderrTruncated: false };
  mkdirSync(folder);
  writeFileSync(join(folder, 'claim.json'), JSON.stringify({ ...claim, claimedMonoMs: 1, timeoutMs: 1_000 }));
  writeFileSync(join(folder, 'exit.json'), JSON.stringify({ ...outcome, ...streams }));
  writeFileSync(join(folder, 'acknowledged'), '');
}

/** The tasks whose folder has a file, by the time of that file. */
function tasksWith(runs: string, file: string): string[] {
  return readdirSync(runs)
    .map((run) => ({ task: run.split('-')[1] ?? '', at: statSync(join(runs, run, file), { throwIfNoEntry: false }) }))
    .flatMap(({ task, at }) => (at ? [{ task, atMs: at.mtimeMs }] : []))
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ task }) => task);
}

async function ended(world: World): Promise<void> {
  await world.agent('old').end('SIGKILL');
  for (const executor of executors(world.metaDir('old'))) await end(executor);
}

/** How long the start of the agent takes, ms; it is ended again. */
async function started(world: World): Promise<number> {
  const startedMs = performance.now();
  await world.startAgent('old');
  const tookMs = performance.now() - startedMs;
  await ended(world);
  return tookMs;
}

systemTests(['old', 'busy'], (check) => {
  check('10,000 old runs delay a start by little', async (world) => {
    await ended(world);
    const emptyMs = await started(world);
    // In memory: what is measured is the reading, and writing so much to a disk takes long.
    const memory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ibex-old-runs-'));
    try {
      for (let i = 1; i <= OLD_RUNS; i++) writeOldRun(memory, i);
      rmSync(join(world.metaDir('old'), 'runs'), { recursive: true });
      symlinkSync(memory, join(world.metaDir('old'), 'runs'));
      const tookMs = await started(world);
      assert.ok(tookMs < 5 * emptyMs, `${tookMs} ms, without them ${emptyMs} ms`);
    } finally {
      rmSync(memory, { recursive: true });
    }
  });

  check('hundreds of results that piled up while no server was there arrive, the first ended first', async (world) => {
    const runs = join(world.metaDir('busy'), 'runs');
    const gate = join(world.folder, 'gate');
    spawnSync('mkfifo', [gate]);
    const task = { script: `[ ! -p ${gate} ] || cat ${gate}; printf out`, hosts: ['busy'], timeout: 600 };
    const ids: number[] = [];
    for (let i = 0; i < RESULTS; i++) ids.push(await world.api.create(task));
    await waitFor('all to be assigned', () => tasksWith(runs, 'assignment.json').length === RESULTS);
    await world.server.end('SIGKILL');
    const opened = openSync(gate, 'r+');
    rmSync(gate);
    closeSync(opened);
    await waitFor('all to end', () => tasksWith(runs, 'exit.json').length === RESULTS);
    // So that the order comes from the disk.
    await world.agent('busy').end('SIGKILL');
    const inOrder = tasksWith(runs, 'exit.json');
    await world.startServer();
    await world.startAgent('busy');
    await waitFor('all to be stored', () => tasksWith(runs, 'acknowledged').length === RESULTS);
    for (const id of ids) assert.deepEqual(await world.api.settled(id), { busy: 'success' });
    assert.equal(await world.api.stdout(ids[0] ?? 0, 'busy'), 'out');
    const position = new Map(inOrder.map((id, at) => [id, at]));
    const arrived = tasksWith(runs, 'acknowledged').map((id) => position.get(id) ?? 0);
    // At most 32 are under way at a time, and those may be answered in any order.
    const farthest = Math.max(...arrived.map((was, at) => Math.abs(was - at)));
    assert.ok(farthest <= 64, `one was ${farthest} places off`);
  });
});
