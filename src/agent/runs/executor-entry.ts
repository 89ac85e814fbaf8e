import { closeSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../shared/errors.js';
import { readJsonFile } from './json-file.js';
import { isProcessAlive, type ProcessIdentity } from './process-identity.js';

/** A living executor, as it shows itself in `MetaDir/executor/<instance>.json`; its socket lies beside it. */
export interface ExecutorEntry extends ProcessIdentity {
  readonly instance: string;
  readonly version: string;
  /** digest of its settings and of what its scripts inherit; empty where it retires, or is of a version that had none */
  readonly setup: string;
}

export function executorFolder(metaDir: string): string {
  return join(metaDir, 'executor');
}

/** The executors of a MetaDir that live. What dead ones left behind is removed. */
export function findExecutors(metaDir: string): ExecutorEntry[] {
  const folder = executorFolder(metaDir);
  return namesIn(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const entry = readEntry(join(folder, name));
      if (entry && isProcessAlive(entry)) return [entry];
      rmSync(join(folder, name), { force: true });
      if (entry) rmSync(join(folder, `${entry.instance}.sock`), { force: true });
      return [];
    });
}

/**
 * A socket's path by way of its folder's descriptor: the kernel takes only 107 bytes, and a MetaDir may lie deep.
 * Valid until disposed.
 */
export function shortSocketPath(folder: string, name: string): Disposable & { readonly path: string } {
  const fd = openSync(folder, 'r');
  return { path: `/proc/self/fd/${fd}/${name}`, [Symbol.dispose]: () => closeSync(fd) };
}

function readEntry(path: string): ExecutorEntry | undefined {
  try {
    return readJsonFile(path, (f) => ({
      instance: f.name('instance', 64),
      pid: f.integer('pid', 2),
      startTime: f.name('startTime', 32),
      version: f.string('version', 64),
      setup: f.has('setup') ? f.string('setup', 64) : '',
    }));
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
