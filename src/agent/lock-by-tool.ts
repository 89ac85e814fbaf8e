import { spawnSync } from 'node:child_process';
import { UserError } from '../shared/errors.js';

const HELD = 1;

/**
 * Takes the exclusive kernel lock of an open file, held until it is closed, however its process ends. False if another
 * process has it. Node has no flock, and calling it natively costs an agent 4 MB for good; but the lock belongs to the
 * open file, which a tool of util-linux shares for a moment.
 */
export function lockByTool(fd: number): boolean {
  const { status, error } = spawnSync('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  if (error) throw new UserError(`cannot lock MetaDir: the program flock (of util-linux) is needed: ${error.message}`);
  if (status !== 0 && status !== HELD) throw new UserError('cannot lock MetaDir: its file system has no locks');
  return status === 0;
}
