import { setTimeout as wait } from 'node:timers/promises';
import { Emulator } from './kit/emulator.js';
import { round, spread } from './kit/percentiles.js';
import { cpuSeconds, pssBytes, type System } from './kit/processes.js';
import type { Report } from './kit/report.js';

const WATCH_SECONDS = 10;
const ASK_SECONDS = 5;
const MIB = 1024 ** 2;

/**
 * So many idle sessions at one beat a second: processor and memory while nothing else happens, and then how long an API
 * call waits for the event loop.
 */
export async function idle(report: Report, system: System, count: number): Promise<void> {
  const emptyBytes = pssBytes(system.serverPid);
  using emulator = await Emulator.start(system.rpcPort, count);
  const cpuBefore = cpuSeconds(system.serverPid);
  const began = performance.now();
  await wait(WATCH_SECONDS * 1_000);
  const share = (cpuSeconds(system.serverPid) - cpuBefore) / ((performance.now() - began) / 1_000);
  const waits = await apiWaits(system, AbortSignal.timeout(ASK_SECONDS * 1_000));
  const bytes = pssBytes(system.serverPid);
  report.add(`${emulator.count} idle sessions, 1 s beats`, 'server', {
    coreShare: round(share),
    memoryMiB: round(bytes / MIB),
    kibASession: round((bytes - emptyBytes) / 1_024 / count),
    apiP99Ms: spread(waits).p99,
  });
}

/**
 * kill -9 of a server with so many sessions, and a new one: until all agents are back, counted from its start, and how
 * long callers of the API wait meanwhile.
 */
export async function reconnect(report: Report, system: System, count: number): Promise<void> {
  using emulator = await Emulator.start(system.rpcPort, count);
  await system.killServer('SIGKILL');
  await emulator.noneReady();
  const began = performance.now();
  const emulatorBefore = cpuSeconds(emulator.pid);
  await system.startServer();
  const up = performance.now();
  const stop = new AbortController();
  const waits = apiWaits(system, stop.signal);
  await emulator.allReady();
  const backMs = round(performance.now() - began);
  const cpu = {
    serverCpuSeconds: cpuSeconds(system.serverPid),
    agentsCpuSeconds: round(cpuSeconds(emulator.pid) - emulatorBefore),
  };
  stop.abort();
  const { p50, p99, max } = spread(await waits);
  const api = { apiP50Ms: p50, apiP99Ms: p99, apiMaxMs: max };
  report.add(`${count} agents back after kill -9`, 'server', { upMs: round(up - began), backMs, ...cpu, ...api });
}

/** How long API calls take until it is stopped, ms; one every 20 ms, whether the one before was answered or not. */
export async function apiWaits(system: System, stop: AbortSignal): Promise<number[]> {
  const waits: Promise<number>[] = [];
  while (!stop.aborted) {
    waits.push(apiWait(system));
    await wait(20);
  }
  return await Promise.all(waits);
}

async function apiWait(system: System): Promise<number> {
  const asked = performance.now();
  await system.api.dat('GET', '/ibex/v1/task/1/state');
  return performance.now() - asked;
}
