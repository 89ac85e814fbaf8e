import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from './kit/api.js';
import { spread } from './kit/percentiles.js';
import type { Report } from './kit/report.js';
import { nowMs } from './kit/wall-clock.js';

const SCRIPT = '#!/bin/sh\ndate +%s%N';

/**
 * POST → the script's own first reading of the clock, and POST → result visible in the API. The script's line is
 * `date`, so that starting that program is part of the figure. Caller and agent must be on one machine.
 */
export async function latency(report: Report, api: Api, host: string, rounds: number, what: string): Promise<void> {
  const firstLine: number[] = [];
  const visible: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const posted = nowMs();
    const id = await api.create({ script: SCRIPT, hosts: [host] });
    while (!(await api.done(id))) await wait(1);
    visible.push(nowMs() - posted);
    firstLine.push(Number(BigInt((await api.stdout(id, host)).trim()) / 1_000n) / 1_000 - posted);
  }
  report.add('POST → first line, ms', what, { ...spread(firstLine) });
  report.add('POST → result visible, ms', what, { ...spread(visible) });
}

/** One-host tasks to a host at an even rate until stopped. Returns how many were created. */
export async function backgroundLoad(api: Api, host: string, perSecond: number, stop: AbortSignal): Promise<number> {
  let created = 0;
  const pending = new Set<Promise<unknown>>();
  for (const began = performance.now(); !stop.aborted;) {
    const due = Math.floor(((performance.now() - began) / 1_000) * perSecond);
    for (; created < due; created++) {
      const task = api.create({ script: 'exit 0', hosts: [host] }).finally(() => pending.delete(task));
      pending.add(task);
    }
    await wait(5);
  }
  await Promise.all(pending);
  return created;
}
