import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { round, spread } from './kit/percentiles.js';
import { residentBytes, until, type System } from './kit/processes.js';
import type { Report } from './kit/report.js';
import { nowMs } from './kit/wall-clock.js';

const LAUNCHER = fileURLToPath(new URL('../../ibex', import.meta.url));
const MIB = 1024 ** 2;

/** A line's way from the script to a viewer, ms: each line is the script's clock when it wrote it. */
export async function lineLatency(report: Report, system: System, host: string, lines: number): Promise<void> {
  const script = `i=0; while [ $i -lt ${lines} ]; do date +%s%N; i=$((i+1)); sleep 0.02; done`;
  const id = await system.api.create({ script, hosts: [host] });
  const viewer = tail(system, id, host);
  const delays: number[] = [];
  viewer.stdout.on('data', (data: Buffer) => {
    const seen = nowMs();
    for (const line of data.toString().trim().split('\n')) delays.push(seen - Number(line) / 1_000_000);
  });
  await once(viewer, 'close');
  // The first lines were written while the viewer was still being started.
  report.add('line written → at a viewer, ms', 'ibex tail', { ...spread(delays.slice(-Math.floor(lines / 2))) });
}

/** Bytes a second through a viewer, live at full speed, and whether they are the ones that the script wrote. */
export async function rate(report: Report, system: System, host: string, mebibytes: number): Promise<void> {
  const file = `${system.folder}/bytes`;
  const make = `head -c ${mebibytes * MIB} /dev/urandom >${file}; sha256sum <${file}`;
  const made = await system.api.create({ script: make, hosts: [host] });
  await until('the bytes are there', () => system.api.done(made));
  const expected = (await system.api.stdout(made, host)).slice(0, 64);
  const residentBefore = residentBytes(system.serverPid);
  const id = await system.api.create({ script: `cat ${file}`, hosts: [host] });
  const viewer = tail(system, id, host);
  const hash = createHash('sha256');
  let first = 0;
  let bytes = 0;
  viewer.stdout.on('data', (data: Buffer) => {
    if (bytes === 0) first = performance.now();
    bytes += data.length;
    hash.update(data);
  });
  await once(viewer, 'close');
  const seconds = (performance.now() - first) / 1_000;
  if (hash.digest('hex') !== expected) throw new Error(`the ${bytes} bytes that arrived are not those written`);
  const grewMiB = round((residentBytes(system.serverPid) - residentBefore) / MIB);
  report.add(`${mebibytes} MiB through ibex tail --raw`, 'byte-exact', {
    mibPerSecond: round(bytes / MIB / seconds),
    serverGrewMiB: grewMiB,
  });
}

function tail(system: System, id: number, host: string) {
  return spawn(LAUNCHER, ['tail', `${id}`, '--host', host, '--raw', '--url', system.api.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
