import { setTimeout as wait } from 'node:timers/promises';
import { round, spread } from './kit/percentiles.js';
import { pssBytes } from './kit/processes.js';
import type { Report } from './kit/report.js';
import type { Subject } from './kit/subject.js';

const MIB = 1024 ** 2;
const PER_SECOND = 100;
const WINDOWS = 6;

/**
 * One-host tasks at an even 100 a second for so many minutes: what a task takes and what the server holds, in six
 * windows of the time. Neither may grow.
 */
export async function steady(report: Report, subject: Subject, serverPid: number, minutes: number): Promise<void> {
  const { hosts, what } = subject;
  const windowMs = (minutes * 60_000) / WINDOWS;
  for (let window = 1; window <= WINDOWS; window++) {
    const visible: number[] = [];
    const pending = new Set<Promise<void>>();
    const processors = subject.processorTime();
    let created = 0;
    for (const began = performance.now(); performance.now() - began < windowMs; await wait(2)) {
      const due = Math.floor(((performance.now() - began) / 1_000) * PER_SECOND);
      for (; created < due; created++) {
        const host = hosts[created % hosts.length] ?? '';
        const one = timeOfTask(subject, host, visible).finally(() => pending.delete(one));
        pending.add(one);
      }
    }
    await Promise.all(pending);
    const { p50, p99, max } = spread(visible);
    report.add(`${PER_SECOND} tasks/s for ${minutes} min`, `${what}, part ${window} of ${WINDOWS}`, {
      tasks: created,
      visibleP50Ms: p50,
      visibleP99Ms: p99,
      visibleMaxMs: max,
      pssMiB: round(pssBytes(serverPid) / MIB),
      ...processors.each(created),
    });
  }
}

async function timeOfTask({ api }: Subject, host: string, timesMs: number[]): Promise<void> {
  const began = performance.now();
  const id = await api.create({ script: 'exit 0', hosts: [host] });
  while (!(await api.done(id))) await wait(2);
  timesMs.push(performance.now() - began);
}
