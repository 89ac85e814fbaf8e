import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A process for certain: a pid alone may belong to another one by now.
 * @typedef {{ readonly pid: number, readonly startTime: string }} ProcessId
 */

const GRACE_MS = 3_000;
/** An executor ends its scripts first: their own grace, then ten seconds of sweeping up what will not die. */
const EXECUTOR_GRACE_MS = 20_000;
const POLL_MS = 20;

/**
 * @param {number} pid
 * @returns {ProcessId | undefined} undefined if no such process lives (a zombie does not)
 */
export function identify(pid) {
  // 0, 1 and negative numbers name process groups and init.
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the program's name, which may hold blanks and brackets; the third field follows its last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTime = fields[19];
  return fields[0] === 'Z' || startTime === undefined ? undefined : { pid, startTime };
}

/** @param {ProcessId} id */
export function isAlive(id) {
  return identify(id.pid)?.startTime === id.startTime;
}

/**
 * SIGTERM, then SIGKILL for one that is still there after a grace. Resolves once it has gone.
 * @param {ProcessId} id
 */
export async function end(id, graceMs = GRACE_MS) {
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGKILL'])) {
    if (!isAlive(id)) return;
    process.kill(id.pid, signal);
    for (const untilMs = performance.now() + graceMs; isAlive(id) && performance.now() < untilMs;) await sleep(POLL_MS);
  }
}

/**
 * Ends the executors of an agent's MetaDir and with them their scripts. They outlive the agent on purpose, so ending
 * the agent, which must come first, is not enough.
 * @param {string} metaDir
 */
export async function endExecutors(metaDir) {
  await Promise.all(executors(metaDir).map((id) => end(id, EXECUTOR_GRACE_MS)));
}

/**
 * @param {string} metaDir
 * @returns {ProcessId[]}
 */
export function executors(metaDir) {
  const folder = join(metaDir, 'executor');
  let names;
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return names.map((name) => readId(join(folder, name))).filter((id) => id !== undefined);
}

/**
 * @param {string} file
 * @returns {ProcessId | undefined}
 */
function readId(file) {
  try {
    /** @type {{ pid?: unknown, startTime?: unknown }} */
    const { pid, startTime } = JSON.parse(readFileSync(file, 'utf8'));
    return typeof pid === 'number' && typeof startTime === 'string' ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}
