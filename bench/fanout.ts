import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from './kit/api.js';
import type { Emulator } from './kit/emulator.js';
import { round } from './kit/percentiles.js';
import type { Report } from './kit/report.js';

/** One task on many emulated hosts: POST → every result stored. Checks that no result was lost on the way. */
export async function fanout(
  report: Report,
  api: Api,
  emulator: Emulator,
  hosts: number,
  batch: number,
  what: string,
): Promise<void> {
  const before = emulator.tally.assigned;
  const began = performance.now();
  const id = await api.create({ script: 'exit 0', hosts: emulator.hosts().slice(0, hosts), batch });
  const answered = performance.now();
  while (!(await api.done(id))) await wait(5);
  const stored = performance.now();
  const success = (await api.counts(id)).get('success') ?? 0;
  if (success !== hosts) throw new Error(`${success} of ${hosts} results are stored`);
  // The emulator's count comes every 100 ms.
  await wait(250);
  const sent = emulator.tally.assigned - before;
  if (sent !== hosts) throw new Error(`${sent} runs were started for ${hosts} hosts`);
  const figures = { answeredMs: round(answered - began), storedMs: round(stored - began) };
  report.add(`one task on ${hosts} hosts, batch ${batch}`, what, figures);
}
