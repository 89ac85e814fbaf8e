import { setTimeout as wait } from 'node:timers/promises';
import { linesScript } from './kit/emulated-output.js';
import { Emulator } from './kit/emulator.js';
import { round, spread } from './kit/percentiles.js';
import { cpuSeconds, residentBytes, System, until } from './kit/processes.js';
import type { Report } from './kit/report.js';
import { TailViewer } from './kit/tail-viewer.js';
import { nowMs } from './kit/wall-clock.js';

const HOST = 'bench-host';
const MIB = 1024 ** 2;
const LINES = 10;
const LINE_EVERY_MS = 1_000;

export async function tail(report: Report): Promise<void> {
  await using system = await System.start();
  await system.startAgent(HOST);
  await firstByte(report, system, HOST, 100);
  for (let i = 0; i < 3; i++) await replay(report, system, HOST, 50, 1);
  await replay(report, system, HOST, 10, 50);
  await manyViewers(report, system, HOST, 50);
  await stuckViewer(report, system, HOST, 60);
  using emulator = await Emulator.start(system.rpcPort, 500);
  await manyRuns(report, system, emulator, 'each');
  await manyRuns(report, system, emulator, 'one');
}

/** How long a viewer that comes to a running script waits for what was written before. */
async function firstByte(report: Report, system: System, host: string, rounds: number): Promise<void> {
  const id = await system.api.create({ script: 'echo first; exec sleep 50', hosts: [host] });
  await until('the line is there', async () => (await system.api.stdout(id, host)) === 'first\n');
  const waits: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const opened = performance.now();
    using viewer = new TailViewer({ url: system.api.url, taskId: id });
    await until('the first byte is here', () => Promise.resolve(viewer.firstMs !== undefined), 1);
    waits.push((viewer.firstMs ?? 0) - opened);
  }
  await system.api.dat('PUT', `/ibex/v1/task/${id}/action`, { action: 'kill' });
  report.add('viewer dials → first byte, ms', 'running script', { ...spread(waits) });
}

/** Bytes a second of a whole output to viewers that all read, and what that takes of the server. */
async function replay(report: Report, system: System, host: string, mib: number, count: number): Promise<void> {
  const id = await writtenBytes(system, host, mib);
  const before = await serverNow(system);
  const viewers = Array.from({ length: count }, () => new TailViewer({ url: system.api.url, taskId: id }));
  await Promise.all(viewers.map(({ ended }) => ended));
  const { seconds, ...server } = serverSince(system, before);
  if (viewers.some(({ bytes }) => bytes !== mib * MIB)) throw new Error('a viewer did not get all bytes');
  const mibPerSecond = round((mib * count) / seconds);
  report.add(`${mib} MiB of an ended run to ${count} viewers`, 'replay', { mibPerSecond, ...server });
}

/** The way of a line to many viewers of one run. */
async function manyViewers(report: Report, system: System, host: string, count: number): Promise<void> {
  const script = `i=0; while [ $i -lt 200 ]; do date +%s%N; i=$((i+1)); sleep 0.02; done`;
  const id = await system.api.create({ script, hosts: [host] });
  const delays: number[] = [];
  const onOutput = (data: Uint8Array): void => {
    const seen = nowMs();
    for (const line of textLines(data)) delays.push(seen - Number(line) / 1_000_000);
  };
  const viewers = Array.from({ length: count }, () => new TailViewer({ url: system.api.url, taskId: id, onOutput }));
  await Promise.all(viewers.map(({ ended }) => ended));
  if (delays.length !== 200 * count) throw new Error(`${delays.length} lines came instead of ${200 * count}`);
  // The first lines were written while the viewers were still coming.
  report.add(`line written → at each of ${count} viewers, ms`, 'one run', {
    ...spread(delays.slice(delays.length / 2)),
  });
}

/** A line a second of each of many runs, all at one viewer, or each at one of its own. */
async function manyRuns(report: Report, system: System, emulator: Emulator, which: 'one' | 'each'): Promise<void> {
  const hosts = emulator.hosts();
  const before = await serverNow(system);
  const id = await system.api.create({ script: linesScript(LINES, LINE_EVERY_MS), hosts });
  const delays: number[] = [];
  let bytes = 0;
  const onOutput = (data: Uint8Array): void => {
    bytes += data.length;
    const seen = nowMs();
    for (const line of textLines(data)) delays.push(seen - Number(line));
  };
  const { url } = system.api;
  const viewers =
    which === 'one'
      ? [new TailViewer({ url, taskId: id, onOutput })]
      : hosts.map((host) => new TailViewer({ url, taskId: id, hosts: [host], onOutput }));
  const ended = await Promise.all(viewers.map((viewer) => viewer.ended));
  const { coreShare, grewMiB } = serverSince(system, before);
  if (!ended.every(Boolean) || delays.length !== LINES * hosts.length) {
    throw new Error(`${delays.length} lines (${bytes} bytes) came instead of ${LINES * hosts.length}`);
  }
  report.add(`${hosts.length} runs, 1 line/s each, to ${viewers.length} viewers`, 'line written → at a viewer, ms', {
    ...spread(delays.slice(delays.length / 5)),
    coreShare,
    grewMiB,
  });
}

/** The effect of a viewer that does not read on the server and on another viewer that does. */
async function stuckViewer(report: Report, system: System, host: string, mib: number): Promise<void> {
  const id = await writtenBytes(system, host, mib);
  const before = await serverNow(system);
  using stuck = new TailViewer({ url: system.api.url, taskId: id, reads: false });
  await until('it is stuck', () => Promise.resolve(stuck.firstMs !== undefined));
  await wait(500);
  const reading = new TailViewer({ url: system.api.url, taskId: id });
  const stop = new AbortController();
  const waits = apiWaits(system, id, stop.signal);
  const began = performance.now();
  await reading.ended;
  const seconds = (performance.now() - began) / 1_000;
  stop.abort();
  report.add(`${mib} MiB to a viewer beside one that does not read`, 'replay', {
    mibPerSecond: round(mib / seconds),
    grewMiB: serverSince(system, before).grewMiB,
    apiP99Ms: spread(await waits).p99,
  });
}

/** How long API calls take until it is stopped, ms. */
async function apiWaits(system: System, taskId: number, stop: AbortSignal): Promise<number[]> {
  const waits: number[] = [];
  while (!stop.aborted) {
    const asked = performance.now();
    await system.api.dat('GET', `/ibex/v1/task/${taskId}/state`);
    waits.push(performance.now() - asked);
    await wait(5);
  }
  return waits;
}

/** A run that has written so many bytes and ended. */
async function writtenBytes(system: System, host: string, mib: number): Promise<number> {
  const id = await system.api.create({ script: `head -c ${mib * MIB} /dev/urandom`, hosts: [host] });
  await until('the bytes are written', () => system.api.done(id));
  return id;
}

interface ServerState {
  readonly atMs: number;
  readonly cpu: number;
  readonly bytes: number;
}

async function serverNow(system: System): Promise<ServerState> {
  // One call, so that the API's own first call is not part of what follows.
  await system.api.connected();
  return { atMs: performance.now(), cpu: cpuSeconds(system.serverPid), bytes: residentBytes(system.serverPid) };
}

function serverSince(system: System, before: ServerState) {
  const seconds = (performance.now() - before.atMs) / 1_000;
  return {
    seconds,
    coreShare: round((cpuSeconds(system.serverPid) - before.cpu) / seconds),
    grewMiB: round((residentBytes(system.serverPid) - before.bytes) / MIB),
  };
}

function textLines(data: Uint8Array): string[] {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString().trim().split('\n');
}
