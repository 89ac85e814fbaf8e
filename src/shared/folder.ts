import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './errors.js';

/**
 * Makes a folder and its parents unless they exist. Not by mkdir's own recursion, which never ends where a folder can't be
 * made below one that exists, as in /proc.
 */
export function ensureFolder(path: string, mode: number): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (!existsSync(dirname(path))) ensureFolder(dirname(path), mode);
  ensureSubfolder(path, mode);
}

/** Makes a folder unless it exists, but never its parent: a MetaDir that was deleted does not come back half empty. */
export function ensureSubfolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
