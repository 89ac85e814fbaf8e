import type { Log } from '../shared/log.js';
import { LogOnce } from '../shared/log-once.js';
import { readProcessTable } from './runs/process-identity.js';

/** Delay from the death of a child to a look at the process table: many die at once. */
const LOOK_MS = 100;

/**
 * Collects dead processes that this one did not start: as the first process of a container, or where it was made the reaper
 * of its descendants, the kernel gives it whom scripts have left behind. A child of its own is the runtime's to collect,
 * which does so before a second look finds it dead still. Ends with the process.
 */
export function collectOrphans(log: Log): void {
  const failure = new LogOnce(log, 'cannot collect processes that scripts have left behind; they stay as zombies');
  let seen = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    timer = undefined;
    const dead = readProcessTable().filter(({ parent, state }) => parent === process.pid && state === 'Z');
    const found = new Map(dead.map(({ pid, startTime }) => [`${pid} ${startTime}`, pid]));
    const orphans = [...found].filter(([name]) => seen.has(name));
    seen = new Set(found.keys());
    if (orphans.length < found.size) lookSoon();
    if (orphans.length === 0) return;
    try {
      // Only here: the native interface costs 4 MB, and on most machines nobody is left behind with an agent.
      const { collect } = await import('./waitpid.js');
      for (const [, pid] of orphans) collect(pid);
    } catch (error) {
      failure.failed(error);
    }
  };
  const lookSoon = (): void => {
    timer ??= setTimeout(() => void look(), LOOK_MS).unref();
  };
  process.on('SIGCHLD', lookSoon);
}
