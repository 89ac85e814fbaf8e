import { readdirSync, readFileSync } from 'node:fs';
import { readIfThere } from './json-file.js';

/** A process for certain: a pid is given to others later, together with its start time it never is. */
export interface ProcessIdentity {
  readonly pid: number;
  /** clock ticks since boot, field 22 of /proc/PID/stat */
  readonly startTime: string;
}

export interface ProcessStat extends ProcessIdentity {
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** Parses a line of /proc/PID/stat; undefined if it is not one. The command in it may hold blanks and brackets. */
export function parseStat(line: string): ProcessStat | undefined {
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const pid = Number(line.slice(0, open));
  const fields = line
    .slice(close + 2)
    .trim()
    .split(' ');
  const [state, parent, group, session] = fields;
  const startTime = fields[19];
  if (state === undefined || startTime === undefined || !/^\d+$/.test(startTime)) return undefined;
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { pid, state, parent: Number(parent), group: Number(group), session: Number(session), startTime };
}

/** The stat of a living process now; undefined if there is none. */
export function readStat(pid: number): ProcessStat | undefined {
  const line = readStatLine(pid);
  return line === undefined ? undefined : parseStat(line);
}

/** Reads a process's stat as the kernel prints it, with its line end; undefined if there is no such process. */
export function readStatLine(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
}

/** Lists every process of the machine. Takes about 15 µs a process. */
export function readProcessTable(): ProcessStat[] {
  const table: ProcessStat[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const stat = readStat(Number(name));
    if (stat) table.push(stat);
  }
  return table;
}

/** Tells whether this very process lives; a zombie does not. */
export function isProcessAlive(process: ProcessIdentity): boolean {
  const stat = readStat(process.pid);
  return stat !== undefined && stat.startTime === process.startTime && stat.state !== 'Z' && stat.state !== 'X';
}

/** A process that wrote its own stat line into a file; undefined if the file is missing or unfinished. */
export function readIdentityFile(path: string): ProcessStat | undefined {
  const text = readIfThere(path);
  return text === undefined || !text.endsWith('\n') ? undefined : parseStat(text);
}

/** Sends a signal to a process group, which the caller has to know as its own. Never to its own, and never to everyone. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  if (!Number.isSafeInteger(group) || group <= 1 || readStat(process.pid)?.group === group) return;
  try {
    process.kill(-group, signal);
  } catch {
    // The group is empty.
  }
}

/** Sends a signal, but only to this very process, and never to a group or to everyone. Returns false if it is gone. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (target.pid <= 1 || !isProcessAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch {
    return false;
  }
}
