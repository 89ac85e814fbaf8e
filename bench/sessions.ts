import { setTimeout as wait } from 'node:timers/promises';
import { Emulator } from './kit/emulator.js';
import { round, spread } from './kit/percentiles.js';
import { cpuSeconds, pssBytes, type System } from './kit/processes.js';
import type { Report } from './kit/report.js';

const WATCH_SECONDS = 10;
const MIB = 1024 ** 2;

/** So many idle sessions at one beat a second: processor, memory, and how long an API call waits for the event loop. */
export async function idle(report: Report, system: System, count: number): Promise<void> {
  const emptyBytes = pssBytes(system.serverPid);
  using emulator = await Emulator.start(system.rpcPort, count);
  const waits: number[] = [];
  const cpuBefore = cpuSeconds(system.serverPid);
  const began = performance.now();
  while (performance.now() - began < WATCH_SECONDS * 1_000) {
    const asked = performance.now();
    await system.api.dat('GET', '/ibex/v1/task/1/state');
    waits.push(performance.now() - asked);
    await wait(20);
  }
  const share = (cpuSeconds(system.serverPid) - cpuBefore) / ((performance.now() - began) / 1_000);
  const bytes = pssBytes(system.serverPid);
  report.add(`${emulator.count} idle sessions, 1 s beats`, 'server', {
    coreShare: round(share),
    memoryMiB: round(bytes / MIB),
    kibASession: round((bytes - emptyBytes) / 1_024 / count),
    apiP99Ms: spread(waits).p99,
  });
}

/** kill -9 of a server with so many sessions, and a new one: until all agents are back, counted from its start. */
export async function reconnect(report: Report, system: System, count: number): Promise<void> {
  using emulator = await Emulator.start(system.rpcPort, count);
  await system.killServer('SIGKILL');
  await emulator.noneReady();
  const began = performance.now();
  await system.startServer();
  const up = performance.now();
  await emulator.allReady();
  const backMs = round(performance.now() - began);
  report.add(`${count} agents back after kill -9`, 'server', { upMs: round(up - began), backMs });
}
