import { setTimeout as wait } from 'node:timers/promises';
import { answers } from './api.js';
import type { BenchDatabase } from './kit/databases.js';
import { addOldTasks } from './kit/old-tasks.js';
import { round, spread } from './kit/percentiles.js';
import { pssBytes } from './kit/processes.js';
import type { Report } from './kit/report.js';
import type { Subject } from './kit/subject.js';
import { throughput } from './throughput.js';

const MIB = 1024 ** 2;
const TASKS = 3_000;
const ROUNDS = 100;
const POSTS_AT_ONCE = 64;
/** MySQL takes 0 for "the next one". */
const FIRST_ID = 1_000;

/** The cost of a task with more and more finished tasks in the tables: 0, 100,000 and a million. */
export async function growthOfTables(report: Report, subject: Subject, database: BenchDatabase): Promise<void> {
  let there = 0;
  for (const count of [0, 100_000, 1_000_000]) {
    if (count > there) await addOldTasks(database, FIRST_ID + there, count - there);
    there = count;
    const told = { ...subject, what: `${subject.what}, ${count} old tasks` };
    await throughput(report, told, TASKS, 16);
    await oneByOne(report, told);
    if (count === 0) continue;
    const { api } = subject;
    for (const query of ['', '&creator=bench', '&query=old+-none', '&p=50', '&days=365']) {
      await answers(report, api, `/ibex/v1/tasks?limit=20${query}`, `list of tasks, ${told.what}`, 10);
    }
    await answers(report, api, `/ibex/v1/task/${count / 2}`, `GET of a one-host task, ${told.what}`);
  }
}

/** The cost of a task while more and more others run, whose hosts never answer. */
export async function growthOfRunning(report: Report, subject: Subject, serverPid: number): Promise<void> {
  let running = 0;
  for (const count of [0, 1_000, 10_000, 30_000]) {
    const missing = Array.from({ length: count - running }, (_, number) => `absent-${running + number}`);
    await Promise.all(Array.from({ length: POSTS_AT_ONCE }, () => postAll(subject, missing)));
    running = count;
    const told = { ...subject, what: `${subject.what}, ${count} tasks running` };
    await throughput(report, told, TASKS, 16);
    await oneByOne(report, told);
    report.add('memory of the server', told.what, { pssMiB: round(pssBytes(serverPid) / MIB) });
  }
}

async function postAll({ api }: Subject, hosts: string[]): Promise<void> {
  for (let host = hosts.pop(); host !== undefined; host = hosts.pop()) {
    await api.create({ script: 'exit 0', hosts: [host], timeout: 86_400 });
  }
}

/** One task at a time on an idle system: POST → result visible. */
async function oneByOne(report: Report, { api, hosts, what }: Subject): Promise<void> {
  const visible: number[] = [];
  for (let asked = 0; asked < ROUNDS; asked++) {
    const began = performance.now();
    const id = await api.create({ script: 'exit 0', hosts: hosts.slice(0, 1) });
    while (!(await api.done(id))) await wait(1);
    visible.push(performance.now() - began);
  }
  report.add('POST → result visible, ms, one at a time', what, { ...spread(visible) });
}
