import { setTimeout as wait } from 'node:timers/promises';
import { Emulator } from './kit/emulator.js';
import { round, spread } from './kit/percentiles.js';
import { cpuSeconds, pssBytes, until, type System } from './kit/processes.js';
import type { Report } from './kit/report.js';

const AGENTS = 5_000;
const FANOUT_HOSTS = 1_000;
const IDLE_SECONDS = 10;
const FANOUTS = 10;
const MIB = 1024 ** 2;

/**
 * Agents that poll once a second: what they cost the server while idle and while one task after another goes to a
 * thousand of them, and how long such a task takes (two beats of a second each, mostly). No result may be missing.
 */
export async function legacyFleet(report: Report, system: System, what: string): Promise<void> {
  using emulator = await Emulator.start(system.rpcPort, AGENTS, 1_000, 'legacy');
  await until('all of them have a name', async () => (await system.api.connected()) === AGENTS, 100);
  await wait(2_000);
  const share = async (work: () => Promise<void>): Promise<number> => {
    const [before, began] = [cpuSeconds(system.serverPid), performance.now()];
    await work();
    return round((cpuSeconds(system.serverPid) - before) / ((performance.now() - began) / 1_000));
  };
  const idleShare = await share(() => wait(IDLE_SECONDS * 1_000));
  report.add(`${AGENTS} legacy agents, idle, 1 s beats`, what, {
    coreShare: idleShare,
    memoryMiB: round(pssBytes(system.serverPid) / MIB),
  });
  const storedMs: number[] = [];
  const before = emulator.tally.assigned;
  const busyShare = await share(async () => {
    for (let task = 0; task < FANOUTS; task++) storedMs.push(await oneTask(system, emulator, task));
  });
  // The emulator's count comes every 100 ms.
  await wait(250);
  const started = emulator.tally.assigned - before;
  if (started !== FANOUTS * FANOUT_HOSTS) throw new Error(`${started} runs for ${FANOUTS * FANOUT_HOSTS} hosts`);
  const { p50, max } = spread(storedMs);
  report.add(`one task on ${FANOUT_HOSTS} of ${AGENTS} legacy agents`, what, {
    storedP50Ms: p50,
    storedMaxMs: max,
    coreShare: busyShare,
    memoryMiB: round(pssBytes(system.serverPid) / MIB),
  });
}

async function oneTask({ api }: System, emulator: Emulator, task: number): Promise<number> {
  const from = (task * FANOUT_HOSTS) % AGENTS;
  const began = performance.now();
  const id = await api.create({ script: 'echo ok', hosts: emulator.hosts().slice(from, from + FANOUT_HOSTS) });
  await until(`task ${id} is done`, () => api.done(id), 20);
  const storedMs = performance.now() - began;
  const success = (await api.counts(id)).get('success') ?? 0;
  if (success !== FANOUT_HOSTS) throw new Error(`${success} of ${FANOUT_HOSTS} results are stored`);
  return storedMs;
}
