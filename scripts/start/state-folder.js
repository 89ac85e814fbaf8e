import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isWritable, projectRoot } from '../project.js';
import { end, endExecutors, identify, isAlive } from './processes.js';

/** @typedef {import('./processes.js').ProcessId} ProcessId */

/** In the checkout, unless that is only to be read. */
const PARENT = isWritable()
  ? join(projectRoot, '.ibex-start')
  : join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'ibex-start');

/**
 * Where one `npm start` keeps database, agent's memory, configuration and logs while it lasts. It also lists the
 * processes, so that the next start can clean up after one that was killed and could not.
 */
export class StateFolder {
  path = join(PARENT, String(process.pid));
  metaDir = join(this.path, 'meta');
  /** @type {ProcessId[]} */
  #processes = [];

  constructor() {
    rmSync(this.path, { recursive: true, force: true });
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    this.record(process.pid);
  }

  /** @param {number} pid */
  record(pid) {
    const id = identify(pid);
    if (id) this.#processes.push(id);
    writeFileSync(join(this.path, 'processes.json'), JSON.stringify(this.#processes));
  }

  /**
   * @param {string} name
   * @param {string} text
   * @returns {string} the file's path
   */
  write(name, text) {
    const file = join(this.path, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  /** All processes must have ended. */
  remove() {
    rmSync(this.path, { recursive: true, force: true });
    // Another start may have its folder there.
    if (readdirSync(PARENT).length === 0) rmSync(PARENT, { recursive: true, force: true });
  }
}

/** Ends and removes what starts have left behind that were killed themselves. */
export async function cleanUpLeftovers() {
  for (const name of list(PARENT)) {
    const path = join(PARENT, name);
    const [owner, ...others] = readProcesses(join(path, 'processes.json'));
    if (owner && isAlive(owner)) continue;
    for (const id of others) await end(id);
    await endExecutors(join(path, 'meta'));
    rmSync(path, { recursive: true, force: true });
  }
}

/** @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * @param {string} file
 * @returns {ProcessId[]} the starting process first
 */
function readProcesses(file) {
  try {
    /** @type {ProcessId[]} */
    const processes = JSON.parse(readFileSync(file, 'utf8'));
    return processes;
  } catch {
    return [];
  }
}
