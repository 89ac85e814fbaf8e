import { passBy } from '../src/server/port/testing/passing-connections.js';
import { Emulator } from './kit/emulator.js';
import { round, spread } from './kit/percentiles.js';
import { cpuSeconds, descriptors, residentBytes, until, type System } from './kit/processes.js';
import type { Report } from './kit/report.js';
import { apiWaits } from './sessions.js';

const PER_SECOND = 50;
const SECONDS = 60;
const WARM_UP_SECONDS = 10;
/** Tasks that the steady agents get meanwhile, one after the other. */
const TASK_HOSTS = ['bench-host', 'emu-0'];
const MIB = 1024 ** 2;

/**
 * Agents of both kinds that connect, say hello and leave, and peers that say nothing, too little or garbage, or reset:
 * 50 a second on one port for a minute. What the server keeps of them, and what an agent of each kind that stays
 * notices: neither may lose its session or a task.
 */
export async function churn(report: Report, system: System): Promise<void> {
  await system.startAgent('bench-host');
  using emulator = await Emulator.start(system.rpcPort, 1, 1_000, 'legacy');
  await until('both have a name', async () => (await system.api.connected()) === TASK_HOSTS.length, 50);
  await passBy(system.rpcPort, PER_SECOND, WARM_UP_SECONDS);
  const { serverPid } = system;
  const quiet = await leastDescriptors(serverPid);
  const before = { bytes: residentBytes(serverPid), sessions: await sessions(system), cpu: cpuSeconds(serverPid) };
  const stop = new AbortController();
  const [waits, tasks] = [apiWaits(system, stop.signal), tasksOf(system, stop.signal)];
  const { perSecond, connections, failures } = await passBy(system.rpcPort, PER_SECOND, SECONDS);
  const cpu = cpuSeconds(serverPid) - before.cpu;
  stop.abort();
  if (failures.length > 0) throw new Error(`${failures.length} of ${connections} were not served: ${failures[0]}`);
  const { p99, max } = spread(await waits);
  const taskMs = spread(await tasks);
  const disturbed = before.sessions !== (await sessions(system)) || emulator.tally.ready !== 1;
  if (disturbed) throw new Error('an agent that stayed has lost its session');
  report.add(`${PER_SECOND} connections/s of all kinds for ${SECONDS} s`, 'server', {
    perSecond: round(perSecond),
    coreShare: round(cpu / SECONDS),
    descriptorsBefore: quiet,
    descriptorsAfter: await leastDescriptors(serverPid),
    residentMiBBefore: round(before.bytes / MIB),
    residentMiBAfter: round(residentBytes(serverPid) / MIB),
    apiP99Ms: p99,
    apiMaxMs: max,
    taskP50Ms: taskMs.p50,
    taskMaxMs: taskMs.max,
  });
}

/** Since when each of the agents that stay has its session, in one text. */
async function sessions({ api }: System): Promise<string> {
  const hosts = await api.dat('GET', '/ibex/v1/hosts');
  if (!Array.isArray(hosts)) throw new Error('no list of hosts');
  const staying = hosts.map(sessionOf).filter(({ host }) => TASK_HOSTS.includes(host));
  if (staying.length !== TASK_HOSTS.length) throw new Error('an agent that stays is not in the list of hosts');
  return JSON.stringify(staying);
}

function sessionOf(entry: unknown): { readonly host: string; readonly connected: boolean; readonly since: string } {
  const { host, connected, since } = { host: '', connected: false, since: '', ...(entry as object) };
  return { host, connected, since };
}

/** How long one task after the other on the agents that stay takes until its results are stored, ms. */
async function tasksOf({ api }: System, stop: AbortSignal): Promise<number[]> {
  const timesMs: number[] = [];
  while (!stop.aborted) {
    const began = performance.now();
    const id = await api.create({ script: 'echo ok', hosts: TASK_HOSTS });
    await until(`task ${id} is done`, () => api.done(id), 20);
    if (((await api.counts(id)).get('success') ?? 0) !== TASK_HOSTS.length) throw new Error(`task ${id} has failed`);
    timesMs.push(performance.now() - began);
  }
  return timesMs;
}

/** Descriptors open once the last connections are gone: a silent one is closed after some twelve seconds. */
async function leastDescriptors(pid: number): Promise<number> {
  const counts: number[] = [];
  const limitMs = performance.now() + 15_000;
  await until(
    'the connections are gone',
    () => {
      counts.push(descriptors(pid));
      return Promise.resolve(performance.now() > limitMs);
    },
    250,
  );
  return Math.min(...counts);
}
