import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from './kit/api.js';
import { round, spread } from './kit/percentiles.js';
import type { Report } from './kit/report.js';
import type { Subject } from './kit/subject.js';

/** How long one path takes to be answered, asked again and again. */
export async function answers(report: Report, api: Api, path: string, what: string, rounds = 30): Promise<void> {
  const took: number[] = [];
  for (let asked = 0; asked <= rounds; asked++) {
    const began = performance.now();
    await api.dat('GET', path);
    // The first one warms up.
    if (asked > 0) took.push(performance.now() - began);
  }
  const { n, p50, p99, max } = spread(took);
  report.add(what, path.replace(/\/task\/\d+/, '/task/:id'), { n, p50Ms: p50, p99Ms: p99, maxMs: max });
}

/** How long callers of the API wait while a task on all hosts starts, runs and is stored; a POST is among them. */
export async function answersDuringFanout(report: Report, { api, hosts, what }: Subject): Promise<void> {
  const small = await api.create({ script: 'exit 0', hosts: hosts.slice(0, 1) });
  while (!(await api.done(small))) await wait(5);
  const big = api.create({ script: 'exit 0', hosts });
  const gets: number[] = [];
  const posts: number[] = [];
  let created = false;
  void big.then(() => (created = true));
  for (;;) {
    const began = performance.now();
    await api.dat('GET', `/ibex/v1/task/${small}`);
    const got = performance.now();
    gets.push(got - began);
    await api.create({ script: 'exit 0', hosts: hosts.slice(0, 1) });
    posts.push(performance.now() - got);
    if (created && (await api.done(await big))) break;
    await wait(1);
  }
  const [get, post] = [spread(gets), spread(posts)];
  report.add(`the API while one task runs on ${hosts.length} hosts`, what, {
    n: get.n,
    getP50Ms: get.p50,
    getP99Ms: get.p99,
    getMaxMs: round(get.max),
    postP50Ms: post.p50,
    postP99Ms: post.p99,
    postMaxMs: round(post.max),
  });
}
