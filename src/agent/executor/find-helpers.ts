import { lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import { isProcessAlive, readStat, readStatLine, type ProcessIdentity } from '../runs/process-identity.js';
import { readLink, unreadBytes } from './libc.js';
import type { EndedScript } from './ended-script.js';

/**
 * A process that the script's output flows through, as `tee` in `exec > >(tee log)`: it reads from a pipe, and has one of
 * the script's streams open or writes into the pipe of another helper. A shell gives processes in the background
 * /dev/null to read from, so they are none. A process that has not begun to run may become one, and counts.
 */
export interface Helper extends ProcessIdentity {
  /** the streams that lack bytes if it is given up */
  readonly streams: readonly Stream[];
  /** It has left, or will write nothing until it gets more from another process than the script. */
  isIdle(): boolean;
}

/** The kernel's names for where a process sleeps that waits for bytes from a pipe, by kernel version. */
const READS_PIPE = /^(anon_)?pipe_(read|wait)$/;
/** A machine can't start enough processes in this time that a process's number comes again. */
const NUMBERS_LAST_MS = 1_000;
/** A process that has had less of a processor than this has not begun, ticks of 10 ms. */
const BEGUN_TICKS = 2;
const USER_TICKS_AT = 10;
const SYSTEM_TICKS_AT = 11;
/** of the links in /proc/PID/fd: the process may write to what it has open there */
const MAY_WRITE = 0o200;

/** Takes about 30 µs for each process that is younger than the script, and for every process where that can't be told. */
export async function findHelpers({ streams, pid: scriptPid, startedMs }: EndedScript): Promise<Helper[]> {
  await turn();
  const first = Date.now() - startedMs < NUMBERS_LAST_MS ? scriptPid() : undefined;
  const processes = first === undefined ? allProcesses() : processesAfter(first);
  const openAs = new Map(streams.map(({ name, path }) => [realPath(path), name]));
  const helpers: Helper[] = [];
  const readers: PipeReader[] = [];
  for (const pid of processes) {
    const [stdin = '', ...outputs] = standardLinks(pid);
    if (/^(pipe:|\/(?!dev\/))/.test(stdin)) readers.push(...readPipeReader(pid));
    const held = outputs.flatMap((link) => (link === undefined ? [] : (openAs.get(link) ?? [])));
    if (held.length > 0) helpers.push(...readUnbegun(pid, held));
  }
  /** by the file that a process has open to write */
  const leadsTo = new Map<string | undefined, readonly Stream[]>();
  for (const { name, path } of streams) leadsTo.set(fileId(path), [name]);
  leadsTo.delete(undefined);
  // A process may lead to another that comes later in the list: repeat until none is found any more.
  for (let before = -1; before !== helpers.length;) {
    before = helpers.length;
    for (const { pid, startTime, input, outputs } of readers) {
      if (helpers.some((helper) => helper.pid === pid)) continue;
      const all = outputs.flatMap(({ file }) => leadsTo.get(file) ?? []);
      const own = outputs.flatMap(({ fd, file }) => (fd === 1 ? (leadsTo.get(file) ?? []) : []));
      if (all.length === 0) continue;
      const found = own.length > 0 ? own : all;
      helpers.push({ pid, startTime, streams: found, isIdle: () => isIdleReader({ pid, startTime }) });
      leadsTo.set(input, found);
    }
  }
  return helpers;
}

function allProcesses(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d/.test(name) ? Number(name) : []));
}

/** The kernel gives numbers in turn, and begins anew after the highest. */
function processesAfter(first: number): number[] {
  const last = Number(readFileSync('/proc/loadavg', 'latin1').trim().split(' ').at(-1));
  const isAfter = (pid: number): boolean => (first <= last ? pid > first && pid <= last : pid > first || pid <= last);
  return allProcesses().filter(isAfter);
}

type Links = readonly (string | undefined)[];
let linksOfTurn: Map<number, Links> | undefined;

/** Reads what a process has open as stdin, stdout and stderr: once a turn of the event loop, for all that ask. */
function standardLinks(pid: number): Links {
  if (!linksOfTurn) {
    linksOfTurn = new Map();
    setImmediate(() => (linksOfTurn = undefined));
  }
  const links = linksOfTurn.get(pid) ?? [0, 1, 2].map((fd) => readLink(`/proc/${pid}/fd/${fd}`));
  linksOfTurn.set(pid, links);
  return links;
}

/** Returns nothing for a process that has begun to run. */
function readUnbegun(pid: number, streams: readonly Stream[]): Helper[] {
  const stat = readStat(pid);
  if (!stat || hasBegun(pid)) return [];
  return [{ ...stat, streams, isIdle: () => !isProcessAlive(stat) || hasBegun(pid) }];
}

function hasBegun(pid: number): boolean {
  const [state = '', ...fields] = readStatLine(pid)?.split(') ').at(-1)?.split(' ') ?? [];
  return !/[RD]/.test(state) || Number(fields[USER_TICKS_AT]) + Number(fields[SYSTEM_TICKS_AT]) >= BEGUN_TICKS;
}

/** Tells whether a reader of a pipe has left, or sleeps until more comes into its empty pipe. */
function isIdleReader(reader: ProcessIdentity): boolean {
  if (!isProcessAlive(reader)) return true;
  const folder = `/proc/${reader.pid}`;
  return unreadBytes(`${folder}/fd/0`) === 0 && READS_PIPE.test(readSleep(folder));
}

function readSleep(folder: string): string {
  try {
    return readFileSync(`${folder}/wchan`, 'latin1');
  } catch {
    return '';
  }
}

interface PipeReader extends ProcessIdentity {
  readonly input: string;
  readonly outputs: readonly { readonly fd: number; readonly file: string }[];
}

/** Returns nothing for a process that does not read from a pipe, and for one that has left or is none of ours to see. */
function readPipeReader(pid: number): PipeReader[] {
  try {
    const input = statSync(`/proc/${pid}/fd/0`);
    const stat = readStat(pid);
    if (!input.isFIFO() || !stat) return [];
    const outputs = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const path = `/proc/${pid}/fd/${fd}`;
      const file = (lstatSync(path).mode & MAY_WRITE) === 0 ? undefined : fileId(path);
      return file === undefined ? [] : [{ fd: Number(fd), file }];
    });
    return [{ pid, startTime: stat.startTime, input: `${input.dev} ${input.ino}`, outputs }];
  } catch {
    return [];
  }
}

/** Names a file whatever its path; undefined where there is none. */
function fileId(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.dev} ${stat.ino}`;
}

/** As a link in /proc names it; the script may have deleted its folder. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
