import koffi from 'koffi';
import { closeSync, openSync, readdirSync } from 'node:fs';

// Node has no mkfifo and no fcntl, and a program started for either costs a millisecond of every script's start.
const libc = koffi.load(null);
const nativeMkfifo: (path: string, mode: number) => unknown = libc.func('int mkfifo(const char *path, uint mode)');
const nativeFcntl: (fd: number, command: number, type: 'int', value: number) => unknown = libc.func(
  'int fcntl(int fd, int command, ...)',
);
const nativeChmod: (path: string, mode: number) => unknown = libc.func('int chmod(const char *path, uint mode)');

const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** Makes a named pipe with exactly this mode, whatever the umask. Throws if it can't. */
export function makePipe(path: string, mode: number): void {
  if (nativeMkfifo(path, mode) !== 0 || nativeChmod(path, mode) !== 0) {
    throw new Error(`cannot make the named pipe ${path}: errno ${koffi.errno()}`);
  }
}

/**
 * Keeps a descriptor out of programs started later. node-pty leaves the controlling side of its terminals inheritable:
 * another account's script could read along, and terminals would outlive their executor.
 */
export function closeOnExec(fd: number): void {
  if (nativeFcntl(fd, F_SETFD, 'int', FD_CLOEXEC) === -1)
    throw new Error(`fcntl on descriptor ${fd}: errno ${koffi.errno()}`);
}

/** Keeps whatever this process inherited itself, besides stdin, stdout and stderr, out of the scripts. */
export function closeInheritedOnExec(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd > 2) nativeFcntl(fd, F_SETFD, 'int', FD_CLOEXEC);
  }
}

/** Opens for reading and writing at once: on a named pipe this neither waits for the other side nor ever sees an end. */
export function openPipe(path: string): number {
  return openSync(path, 'r+');
}

export function closeQuietly(fd: number | undefined): void {
  if (fd === undefined) return;
  try {
    closeSync(fd);
  } catch {
    // Closed already by the stream that owned it.
  }
}
