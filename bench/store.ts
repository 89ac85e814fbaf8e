import type { TaskChange } from '../src/server/core/changes.js';
import type { TaskMeta } from '../src/server/core/records.js';
import type { Store } from '../src/server/store/store.js';
import { pieces } from '../src/shared/pieces.js';
import { EMPTY_REPORT } from '../src/shared/run-report.js';
import type { BenchDatabase } from './kit/databases.js';
import { round } from './kit/percentiles.js';
import type { Report } from './kit/report.js';

const HOSTS = 10_000;
/** As scheduling cuts the results of one big task. */
const RESULTS_A_COMMIT = 500;
const TASKS = 2_000;
/** As many as 16 callers make together. */
const TASKS_AT_ONCE = 8;
const CLOCK = 1_700_000_000;
const SCHEDULER = '127.0.0.1:20090';

/** Rows a second through the store alone, by what is written or read; no server, no agents. */
export async function store(report: Report, database: BenchDatabase): Promise<void> {
  await using opened = await database.openStore();
  const hosts = Array.from({ length: HOSTS }, (_, number) => `emu-${number}`);
  for (const warm of [false, true]) {
    const measure = async (shape: string, rows: number, work: () => Promise<unknown>): Promise<void> => {
      const began = performance.now();
      await work();
      const ms = performance.now() - began;
      // The first round warms up.
      if (!warm) return;
      report.add(`store: ${shape}`, database.what, {
        rows,
        ms: round(ms),
        rowsPerSecond: Math.round((rows / ms) * 1_000),
      });
    };
    const id = await opened.nextTaskId();
    await measure('create a task of 10,000 hosts', HOSTS, () => opened.commit([creating(id, hosts)]));
    await measure('read its hosts', HOSTS, () => opened.hosts(id));
    await measure('read it to resume it', HOSTS, () => opened.openTask(id));
    await measure(`store its results, ${RESULTS_A_COMMIT} a commit`, HOSTS, async () => {
      for (const some of pieces(hosts, RESULTS_A_COMMIT)) {
        await opened.commit(some.map((host) => ending(id, host)));
      }
    });
    await measure('read its outputs', HOSTS, () => opened.outputs(id));
    const ids: number[] = [];
    await measure('create one-host tasks, 8 at once', TASKS, () =>
      inGroups(async () => {
        const taskId = await opened.nextTaskId();
        ids.push(taskId);
        await opened.commit([creating(taskId, ['emu-1'])]);
      }),
    );
    await measure('end one-host tasks, 8 at once', TASKS, () => inGroups(() => end(opened, ids.pop() ?? 0)));
  }
}

async function end(opened: Store, taskId: number): Promise<void> {
  await opened.commit([
    ending(taskId, 'emu-1'),
    { kind: 'end-task', taskId, scheduler: SCHEDULER, action: 'start', actionClock: CLOCK },
  ]);
}

async function inGroups(one: () => Promise<void>): Promise<void> {
  for (let done = 0; done < TASKS; done += TASKS_AT_ONCE) {
    await Promise.all(Array.from({ length: TASKS_AT_ONCE }, one));
  }
}

function creating(id: number, hosts: readonly string[]): TaskChange {
  const meta: TaskMeta = {
    id,
    title: 'bench',
    account: 'root',
    batch: 0,
    tolerance: 0,
    timeout: 60,
    pause: '',
    script: 'exit 0',
    args: '',
    stdin: '',
    creator: 'bench',
    created: new Date(CLOCK * 1_000),
  };
  const started = hosts.map((host) => ({ host, startClock: CLOCK }));
  return {
    kind: 'create-task',
    meta,
    action: 'start',
    actionClock: CLOCK,
    scheduler: '127.0.0.1:20090',
    hosts: started,
  };
}

function ending(taskId: number, host: string): TaskChange {
  const detail = {
    taskId,
    host,
    clock: CLOCK,
    ...EMPTY_REPORT,
    exitCode: 0,
    startedMs: CLOCK * 1_000,
    endedMs: CLOCK * 1_000 + 5,
    stdoutBytes: 3,
    late: false,
  };
  const output = { stdout: 'ok\n', stderr: '' };
  return { kind: 'end-host', taskId, host, from: 'running', to: 'success', output, detail };
}
