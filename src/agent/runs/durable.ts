import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** of the files that are written here */
const MODE = 0o600;

/** Makes a folder's entries (created, renamed or removed names) survive a power cut. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Creates a file that must not exist yet, durable with its name. Throws EEXIST if another was first; if it throws
 * anything else, as on a full disk, no file is left.
 */
export function createDurably(path: string, content: string): void {
  const fd = openSync(path, 'wx', MODE);
  try {
    writeAndClose(fd, content);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Replaces a file as a whole: after a power cut it holds the old or the new content, never a mixture. */
export function replaceDurably(path: string, content: string): void {
  const temporary = `${path}.new`;
  writeAndClose(openSync(temporary, 'w', MODE), content);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

function writeAndClose(fd: number, content: string): void {
  const bytes = Buffer.from(content);
  try {
    // A disk that is nearly full takes a part without an error; the rest, asked for again, meets it.
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
