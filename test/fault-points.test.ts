import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { end, executors, isAlive } from '../scripts/start/processes.js';
import { scriptProcesses, strayLaunchers } from './chaos/leftovers.ts';
import { viewTask, type HostView } from './chaos/tail-view.ts';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';
import type { World } from './harness/world.ts';

/** Like no other test's: processes are looked for by it. */
const HOST = `fault-${process.pid}`;

/** A task whose script counts its own starts, with what became of it. */
class Counted {
  readonly taskId: number;
  readonly #world: World;
  readonly #starts: string;

  private constructor(world: World, taskId: number, starts: string) {
    this.#world = world;
    this.taskId = taskId;
    this.#starts = starts;
  }

  static async create(world: World, name: string): Promise<Counted> {
    const starts = join(world.folder, `starts-${name}`);
    const script = `echo x >>${starts}; echo out; echo err >&2; exit 7`;
    return new Counted(world, await world.api.create({ script, hosts: [HOST] }), starts);
  }

  /** Status, exit code, reason and stdout, once it is over. */
  async outcome(): Promise<readonly unknown[]> {
    await this.#world.api.settled(this.taskId);
    const view = await this.view();
    return [view.status, view.exitCode, view.reason, Buffer.concat(view.stdout).toString()];
  }

  async view(): Promise<HostView> {
    const view = (await viewTask(this.#world.url, this.taskId)).get(HOST);
    assert.ok(view);
    return view;
  }

  starts(): number {
    return existsSync(this.#starts) ? readFileSync(this.#starts, 'utf8').length / 2 : 0;
  }

  /** Path of a file in the run's folder. */
  file(name: string): string {
    const runs = join(this.#world.metaDir(HOST), 'runs');
    const run = readdirSync(runs).find((folder) => folder.split('-')[1] === String(this.taskId));
    return join(runs, run ?? 'none', name);
  }
}

const WHOLE = ['failed', 7, null, 'out\n'] as const;

/** Starts the agent anew, with an executor of its own that dies at this step, or at none. */
async function restart(world: World, step: string | undefined): Promise<void> {
  await world.agent(HOST).end('SIGKILL');
  for (const executor of executors(world.metaDir(HOST))) await end(executor);
  if (step === undefined) delete process.env['IBEX_TEST_KILL_AT'];
  else process.env['IBEX_TEST_KILL_AT'] = step;
  await world.startAgent(HOST);
  delete process.env['IBEX_TEST_KILL_AT'];
}

async function executorDies(world: World): Promise<void> {
  const [executor] = executors(world.metaDir(HOST));
  assert.ok(executor);
  await waitFor('the executor to die', () => !isAlive(executor));
}

systemTests([HOST], (check) => {
  check('the link dies with the assignment written: the server assigns it again, and it runs once', async (world) => {
    await restart(world, 'assignment-written');
    const link = world.agent(HOST);
    const task = await Counted.create(world, 'assignment-written');
    await link.ended;
    assert.equal(existsSync(task.file('script')), true);
    assert.equal(existsSync(task.file('claim.json')), false);
    await restart(world, undefined);
    assert.deepEqual([await task.outcome(), task.starts()], [WHOLE, 1]);
  });

  check('the executor dies before the claim: the run is rung for again, and runs once', async (world) => {
    await restart(world, 'before-claim');
    const dying = executorDies(world);
    const task = await Counted.create(world, 'before-claim');
    await dying;
    assert.equal(existsSync(task.file('claim.json')), false);
    await restart(world, undefined);
    assert.deepEqual([await task.outcome(), task.starts()], [WHOLE, 1]);
  });

  check('the executor dies with the claim made: it is lost, in words, and never started', async (world) => {
    await restart(world, 'claimed');
    const task = await Counted.create(world, 'claimed');
    assert.deepEqual([await task.outcome(), task.starts()], [['failed', null, 'lost', ''], 0]);
    assert.match(Buffer.concat((await task.view()).stderr).toString(), /^ibex: .*before the script was started/);
  });

  check('the executor dies before the launcher has its word: it leaves, and the run is lost', async (world) => {
    await restart(world, 'launcher-noted');
    const task = await Counted.create(world, 'launcher-noted');
    assert.deepEqual([await task.outcome(), task.starts()], [['failed', null, 'lost', ''], 0]);
    await waitFor('the launchers to leave', () => strayLaunchers(world.metaDir(HOST)).length === 0);
  });

  check(
    'the executor dies with the launcher just started: the launcher goes, nothing is left behind',
    async (world) => {
      await restart(world, 'spawned');
      const task = await Counted.create(world, 'spawned');
      const outcome = await task.outcome();
      // Which of them is quicker, the launcher or the death of its terminal, is open; what is reported must be true.
      if (task.starts() === 0) assert.deepEqual(outcome, ['failed', null, 'lost', '']);
      else assert.deepEqual([outcome.slice(0, 3), task.starts()], [['failed', 7, null], 1]);
      await waitFor('the script to leave', () => scriptProcesses([HOST]).length === 0);
      await waitFor('the launchers to leave', () => strayLaunchers(world.metaDir(HOST)).length === 0);
    },
  );

  check('the executor dies with the outcome told and not written: the told one stands', async (world) => {
    await restart(world, 'before-outcome');
    const dying = executorDies(world);
    const task = await Counted.create(world, 'before-outcome');
    await dying;
    assert.deepEqual([await task.outcome(), task.starts()], [WHOLE, 1]);
    await restart(world, undefined);
    await waitFor('the outcome on disk', () => existsSync(task.file('exit.json')));
    assert.deepEqual([await task.outcome(), task.starts()], [WHOLE, 1]);
  });

  check('both die with the outcome not written: it comes from the launcher’s own note', async (world) => {
    await restart(world, 'before-outcome');
    // Without a server the outcome can't be told to anybody.
    const dying = executorDies(world);
    const starts = join(world.folder, 'starts-both');
    const script = `echo x >>${starts}; echo err >&2; sleep 0.5; exit 7`;
    const taskId = await world.api.create({ script, hosts: [HOST] });
    await waitFor('the start', () => existsSync(starts));
    await world.agent(HOST).end('SIGKILL');
    await dying;
    await restart(world, undefined);
    await world.api.settled(taskId);
    const view = (await viewTask(world.url, taskId)).get(HOST);
    assert.deepEqual(
      [view?.status, view?.exitCode, Buffer.concat(view?.stderr ?? []).toString()],
      ['failed', 7, 'err\n'],
    );
    assert.equal(readFileSync(starts, 'utf8'), 'x\n');
  });

  check('the executor dies with the outcome written: nothing changes', async (world) => {
    await restart(world, 'outcome-written');
    const dying = executorDies(world);
    const task = await Counted.create(world, 'outcome-written');
    await dying;
    assert.deepEqual([await task.outcome(), task.starts()], [WHOLE, 1]);
  });

  check('the link dies with the result stored and not noted: it is sent again, and stays what it is', async (world) => {
    await restart(world, 'before-acknowledged');
    const link = world.agent(HOST);
    const task = await Counted.create(world, 'before-acknowledged');
    await link.ended;
    assert.equal(existsSync(task.file('acknowledged')), false);
    await restart(world, undefined);
    await waitFor('the acknowledgement', () => existsSync(task.file('acknowledged')));
    assert.deepEqual([await task.outcome(), task.starts()], [WHOLE, 1]);
  });
});
