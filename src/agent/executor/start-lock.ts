import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureFolder } from '../../shared/folder.js';
import { executorFolder } from '../runs/executor-entry.js';
import { tryLock } from './libc.js';

const LOOK_MS = 20;

/**
 * Lets one executor of a MetaDir start at a time: two that recover side by side would both take over the same runs. A
 * kernel lock on a file that only the agent's own account can open; it goes away with the process however that ends.
 * Held until disposed.
 */
export async function startLock(metaDir: string): Promise<Disposable> {
  const folder = executorFolder(metaDir);
  ensureFolder(folder, 0o700);
  const fd = openSync(join(folder, 'start.lock'), 'a', 0o600);
  while (!tryLock(fd)) await wait(LOOK_MS);
  return { [Symbol.dispose]: () => closeSync(fd) };
}
