import koffi from 'koffi';
import { closeSync, constants, openSync, readdirSync } from 'node:fs';

// Node has none of these calls, and a program started for either costs a millisecond of every script's start.
const libc = koffi.load(null);
const nativeMkfifo: (path: string, mode: number) => unknown = libc.func('int mkfifo(const char *path, uint mode)');
const nativeFcntl: (fd: number, command: number, type: 'int', value: number) => unknown = libc.func(
  'int fcntl(int fd, int command, ...)',
);
const nativeChmod: (path: string, mode: number) => unknown = libc.func('int chmod(const char *path, uint mode)');

const nativeGetTerminal: (fd: number, state: Uint8Array) => unknown = libc.func(
  'int tcgetattr(int fd, _Out_ void *state)',
);
const nativeSetTerminal: (fd: number, when: number, state: Uint8Array) => unknown = libc.func(
  'int tcsetattr(int fd, int when, const void *state)',
);

const nativeSplice: (
  from: number,
  fromAt: null,
  to: number,
  toAt: Uint8Array,
  bytes: number,
  flags: number,
) => unknown = libc.func('long splice(int from, void *fromAt, int to, void *toAt, size_t bytes, uint flags)');

const nativeIoctl: (fd: number, request: number, type: 'void *', data: Uint8Array) => unknown = libc.func(
  'int ioctl(int fd, ulong request, ...)',
);
const nativePoll: (fds: Uint8Array, count: number, timeoutMs: number) => unknown = libc.func(
  'int poll(_Inout_ void *fds, ulong count, int timeoutMs)',
);
const nativeReadlink: (path: string, target: Uint8Array, bytes: number) => unknown = libc.func(
  'long readlink(const char *path, _Out_ void *target, size_t bytes)',
);
const nativeNewLocale: (categories: number, name: string, base: null) => unknown = libc.func(
  'void *newlocale(int categories, const char *name, void *base)',
);

const nativeFlock: (fd: number, operation: number) => unknown = libc.func('int flock(int fd, int operation)');

const nativeDup2: (from: number, to: number) => unknown = libc.func('int dup2(int from, int to)');

const LOCK_EX_NB = 6;
const TCSANOW = 0;
/** exceeds the kernel's and the C library's struct termios */
const TERMIOS_BYTES = 128;
const VTIME_AT = 17 + 5;
const VMIN_AT = 17 + 6;
/** The flags that `stty raw -echo` clears: input (all but IUTF8), output (OPOST), local (ISIG, ICANON, XCASE, ECHO). */
const RAW_CLEARS = [0x3fff, 0x1, 0, 0xf] as const;

const OPOST = 0x1;
const OFLAG_AT = 4;
const TIOCSLCKTRMIOS = 0x5457;

const TIOCSWINSZ = 0x5414;
const FIONREAD = 0x541b;
const POLLIN = 0x1;
const POLLHUP = 0x10;
const LC_ALL_MASK = 0x1fbf;
const LINK_BYTES = 256;

const SPLICE_F_MOVE_NONBLOCK = 3;
const EINTR = 4;
const EAGAIN = 11;
const F_GETPIPE_SZ = 1_032;
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

/**
 * Sets the terminal behind a controlling side as `stty raw -echo` does, which would be two more processes of each start:
 * bytes pass as they are, and nothing that is typed comes back.
 */
export function makeRaw(fd: number): void {
  const state = new Uint8Array(TERMIOS_BYTES);
  if (nativeGetTerminal(fd, state) !== 0) throw new Error(`tcgetattr: errno ${koffi.errno()}`);
  const flags = new Uint32Array(state.buffer, 0, RAW_CLEARS.length);
  for (const [at, cleared] of RAW_CLEARS.entries()) flags[at] = (flags[at] ?? 0) & ~cleared;
  state[VTIME_AT] = 0;
  state[VMIN_AT] = 1;
  if (nativeSetTerminal(fd, TCSANOW, state) !== 0) throw new Error(`tcsetattr: errno ${koffi.errno()}`);
}

/**
 * Keeps a raw terminal's output as it is, whatever a program of the script sets (`stty sane` makes CR LF of each LF).
 * Returns false where this account may not: the kernel asks for CAP_SYS_ADMIN.
 */
export function lockRawOutput(fd: number): boolean {
  const locked = new Uint8Array(TERMIOS_BYTES);
  locked[OFLAG_AT] = OPOST;
  return nativeIoctl(fd, TIOCSLCKTRMIOS, 'void *', locked) === 0;
}

/** Leaves a terminal without a size: whatever a program cuts to a width, it then cuts to COLUMNS. */
export function forgetSize(fd: number): void {
  if (nativeIoctl(fd, TIOCSWINSZ, 'void *', new Uint8Array(8)) !== 0)
    throw new Error(`TIOCSWINSZ: errno ${koffi.errno()}`);
}

/** Tells whether a terminal passes output as it is. */
export function hasRawOutput(fd: number): boolean {
  const state = new Uint8Array(TERMIOS_BYTES);
  return nativeGetTerminal(fd, state) !== 0 || ((state[OFLAG_AT] ?? 0) & OPOST) === 0;
}

/** Tells of a terminal's controlling side whether bytes are to be read, and whether nobody has the other side open. */
export function pollTerminal(fd: number): { readonly hasBytes: boolean; readonly hasHungUp: boolean } {
  const entry = new Uint8Array(8);
  const view = new DataView(entry.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  nativePoll(entry, 1, 0);
  const found = view.getInt16(6, true);
  return { hasBytes: (found & POLLIN) !== 0, hasHungUp: (found & POLLHUP) !== 0 };
}

/** Reads a symbolic link; undefined where it can't be read. Such as lead nowhere cost a process scan no exception. */
export function readLink(path: string): string | undefined {
  const target = Buffer.alloc(LINK_BYTES);
  const length = Number(nativeReadlink(path, target, target.length));
  return length < 0 ? undefined : target.toString('utf8', 0, length);
}

/** Returns how many bytes lie in the pipe that is open as this file of /proc; undefined where that can't be told. */
export function unreadBytes(path: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const bytes = new Uint8Array(4);
    if (nativeIoctl(fd, FIONREAD, 'void *', bytes) !== 0) return undefined;
    return new DataView(bytes.buffer).getInt32(0, true);
  } catch {
    return undefined;
  } finally {
    closeQuietly(fd);
  }
}

/** Tells whether the C library has a locale of this name. */
export function hasLocale(name: string): boolean {
  return nativeNewLocale(LC_ALL_MASK, name, null) !== null;
}

/**
 * Moves up to so many bytes from a pipe to a position of a file, in the kernel: no kill of this process finds them in
 * neither. Returns how many, 0 if there are none now, and undefined if there are none and no writer is left. Throws what
 * the file refuses with.
 */
export function movePipeToFile(pipe: number, file: number, position: number, mostBytes: number): number | undefined {
  const at = Buffer.alloc(8);
  at.writeBigInt64LE(BigInt(position));
  const moved = Number(nativeSplice(pipe, null, file, at, mostBytes, SPLICE_F_MOVE_NONBLOCK));
  if (moved >= 0) return moved === 0 ? undefined : moved;
  const errno = koffi.errno();
  if (errno === EAGAIN || errno === EINTR) return 0;
  throw new Error(`splice: errno ${errno}`);
}

/** Returns how many bytes a pipe can hold. */
export function pipeBytes(fd: number): number {
  const bytes = Number(nativeFcntl(fd, F_GETPIPE_SZ, 'int', 0));
  return bytes > 0 ? bytes : 64 * 1024;
}

/** Keeps whatever this process inherited itself, besides stdin, stdout and stderr, out of the scripts. */
export function closeInheritedOnExec(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd > 2) nativeFcntl(fd, F_SETFD, 'int', FD_CLOEXEC);
  }
}

/** Lets stdout and stderr of this process go to a file from now on. */
export function redirectOutput(path: string): void {
  const file = openSync(path, 'a', 0o600);
  nativeDup2(file, 1);
  nativeDup2(file, 2);
  closeSync(file);
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

/**
 * Takes the exclusive lock of an open file, which the kernel holds until the file is closed, however this process ends.
 * Returns false if another process has it.
 */
export function tryLock(fd: number): boolean {
  return nativeFlock(fd, LOCK_EX_NB) === 0;
}
