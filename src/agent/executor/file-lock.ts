import koffi from 'koffi';

const libc = koffi.load(null);
// Node has no flock.
const nativeFlock: (fd: number, operation: number) => unknown = libc.func('int flock(int fd, int operation)');
const LOCK_EX_NB = 6;

/**
 * Takes the exclusive lock of an open file, held until it is closed, however its process ends. False if another process
 * has it.
 */
export function tryLock(fd: number): boolean {
  return nativeFlock(fd, LOCK_EX_NB) === 0;
}
