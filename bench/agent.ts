import { setTimeout as wait } from 'node:timers/promises';
import { round } from './kit/percentiles.js';
import { cpuSeconds, familyOf, pssBytes, until, type System } from './kit/processes.js';
import type { Report } from './kit/report.js';

const IDLE_SECONDS = 20;
/** Node goes on compiling and collecting for a while after its start; that is not what idling costs. */
const SETTLE_SECONDS = 15;
const MIB = 1024 ** 2;

/** The agent itself: memory of all its processes, processor when idle, scripts started a second, many at once. */
export async function agent(report: Report, system: System, host: string, pids: readonly number[]): Promise<void> {
  const pss = (): number => round(familyOf(pids).reduce((sum, pid) => sum + pssBytes(pid), 0) / MIB);
  const cpu = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  await wait(SETTLE_SECONDS * 1_000);
  const before = cpu();
  await wait(IDLE_SECONDS * 1_000);
  report.add('agent, idle', 'link, executor and waiting launchers', {
    pssMiB: pss(),
    corePercent: round((100 * (cpu() - before)) / IDLE_SECONDS),
  });
  for (const count of [200]) {
    const began = performance.now();
    const ids = await Promise.all(
      Array.from({ length: count }, () => system.api.create({ script: 'exit 0', hosts: [host] })),
    );
    for (const id of ids) await until(`task ${id} has ended`, () => system.api.done(id));
    const seconds = (performance.now() - began) / 1_000;
    report.add(`${count} scripts at once on one agent`, 'POST → all stored', {
      seconds: round(seconds),
      perSecond: round(count / seconds),
      pssMiB: pss(),
    });
  }
}
