import { setTimeout as wait } from 'node:timers/promises';
import { pieces } from '../src/shared/pieces.js';
import { round, spread } from './kit/percentiles.js';
import type { Report } from './kit/report.js';
import type { Subject } from './kit/subject.js';

const IDS_PER_QUESTION = 500;

/** One-host tasks POSTed by so many callers as fast as they are answered, through to the last stored result. */
export async function throughput(
  report: Report,
  { api, hosts, startedRuns, what, processorTime }: Subject,
  tasks: number,
  callers: number,
): Promise<void> {
  const ids: number[] = [];
  const answers: number[] = [];
  const before = await startedRuns();
  let next = 0;
  const processors = processorTime();
  const began = performance.now();
  const caller = async (): Promise<void> => {
    while (next < tasks) {
      const host = hosts[next++ % hosts.length] ?? '';
      const asked = performance.now();
      ids.push(await api.create({ script: 'exit 0', hosts: [host] }));
      answers.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const posted = performance.now();
  for (const some of pieces(ids, IDS_PER_QUESTION)) {
    while ((await api.doneAmong(some)) < some.length) await wait(1);
  }
  const stored = performance.now();
  const cpu = processors.each(tasks);
  const started = ((await startedRuns()) ?? tasks) - (before ?? 0);
  if (started !== tasks) throw new Error(`${started} runs were started for ${tasks} tasks`);
  const { p50, p99 } = spread(answers);
  report.add(`one-host tasks, ${callers} callers`, what, {
    tasks,
    perSecond: round((tasks / (stored - began)) * 1_000),
    postedMs: round(posted - began),
    answerP50Ms: p50,
    answerP99Ms: p99,
    ...cpu,
  });
}
