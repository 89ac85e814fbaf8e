import type { Socket } from 'node:net';

/** The three system calls that handing a connection over takes, and that Node does not offer. */
export interface SocketCalls {
  /** The first byte that can be read, without taking it; 'none' while there is none, 'ended' where none will come. */
  peek(fd: number): number | 'none' | 'ended';
  /** A second descriptor of the same connection. Throws if there are no more descriptors. */
  duplicate(fd: number): number;
}

const MSG_PEEK_DONTWAIT = 0x42;
const EAGAIN = 11;
const EINTR = 4;
const F_DUPFD_CLOEXEC = 1_030;

/** Rejects where the native part can't be loaded on this platform. */
export async function loadSocketCalls(): Promise<SocketCalls> {
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  const recv: (fd: number, buffer: Uint8Array, bytes: number, flags: number) => unknown = libc.func(
    'long recv(int fd, _Out_ uint8_t *buffer, size_t bytes, int flags)',
  );
  const fcntl: (fd: number, command: number, type: 'int', value: number) => unknown = libc.func(
    'int fcntl(int fd, int command, ...)',
  );
  const byte = new Uint8Array(1);
  return {
    peek: (fd) => {
      const received = Number(recv(fd, byte, 1, MSG_PEEK_DONTWAIT));
      if (received === 1) return byte[0] ?? 0;
      const errno = koffi.errno();
      return received < 0 && (errno === EAGAIN || errno === EINTR) ? 'none' : 'ended';
    },
    duplicate: (fd) => {
      const copy = Number(fcntl(fd, F_DUPFD_CLOEXEC, 'int', 0));
      if (copy < 0) throw new Error(`cannot duplicate a connection: errno ${koffi.errno()}`);
      return copy;
    },
  };
}

/** The descriptor of a connection, or undefined once it is closed. */
export function descriptorOf(socket: Socket): number | undefined {
  // Node has no documented way to it; the handle of an open TCP socket has had this property in every version.
  if (!('_handle' in socket) || typeof socket._handle !== 'object' || socket._handle === null) return undefined;
  const handle = socket._handle;
  return 'fd' in handle && typeof handle.fd === 'number' && handle.fd > 2 ? handle.fd : undefined;
}
