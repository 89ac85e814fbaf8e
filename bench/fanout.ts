import { setTimeout as wait } from 'node:timers/promises';
import type { Subject } from './kit/subject.js';
import { round } from './kit/percentiles.js';
import type { Report } from './kit/report.js';

/** One task on many hosts: POST → every result stored. Emulated agents also tell that each was started once. */
export async function fanout(
  report: Report,
  { api, hosts, startedRuns, what, processorTime }: Subject,
  count: number,
  batch: number,
): Promise<void> {
  const before = await startedRuns();
  const processors = processorTime();
  const began = performance.now();
  const id = await api.create({ script: 'exit 0', hosts: hosts.slice(0, count), batch });
  const answered = performance.now();
  while (!(await api.done(id))) await wait(5);
  const stored = performance.now();
  const cpu = processors.each(count);
  const success = (await api.counts(id)).get('success') ?? 0;
  if (success !== count) throw new Error(`${success} of ${count} results are stored`);
  const started = ((await startedRuns()) ?? count) - (before ?? 0);
  if (started !== count) throw new Error(`${started} runs were started for ${count} hosts`);
  report.add(`one task on ${count} hosts, batch ${batch}`, what, {
    answeredMs: round(answered - began),
    storedMs: round(stored - began),
    usAHost: round(((stored - began) * 1_000) / count),
    ...cpu,
  });
}
