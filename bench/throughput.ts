import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from './kit/api.js';
import type { Emulator } from './kit/emulator.js';
import { round } from './kit/percentiles.js';
import type { Report } from './kit/report.js';

const IDS_PER_QUESTION = 500;

/** One-host tasks POSTed by so many callers as fast as they are answered, through to the last stored result. */
export async function throughput(
  report: Report,
  api: Api,
  emulator: Emulator,
  tasks: number,
  callers: number,
  what: string,
): Promise<void> {
  const hosts = emulator.hosts();
  const ids: number[] = [];
  let next = 0;
  const began = performance.now();
  const caller = async (): Promise<void> => {
    while (next < tasks) {
      const host = hosts[next++ % hosts.length] ?? '';
      ids.push(await api.create({ script: 'exit 0', hosts: [host] }));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const posted = performance.now();
  for (let at = 0; at < ids.length; at += IDS_PER_QUESTION) {
    const some = ids.slice(at, at + IDS_PER_QUESTION);
    while ((await api.doneAmong(some)) < some.length) await wait(1);
  }
  const stored = performance.now();
  const perSecond = round((tasks / (stored - began)) * 1_000);
  report.add(`one-host tasks, ${callers} callers`, what, { tasks, perSecond, postedMs: round(posted - began) });
}
