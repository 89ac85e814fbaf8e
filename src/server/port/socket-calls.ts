import type { Server, Socket } from 'node:net';

/** The system calls that handing a connection over takes, and that Node does not offer. */
export interface SocketCalls {
  /** The first byte that can be read, without taking it; 'none' while there is none, 'ended' where none will come. */
  peek(fd: number): number | 'none' | 'ended';
  watch(): ReadableWatch;
  /**
   * Lets a listener accept only connections on which something has come. A platform may refuse; then all come at once.
   */
  deferAccept(listenerFd: number, withinSeconds: number): void;
  /** A second descriptor of the same connection. Throws if there are no more descriptors. */
  duplicate(fd: number): number;
}

/** Watches descriptors until they are readable or have ended; asking costs the same however many they are. */
export interface ReadableWatch extends Disposable {
  /** Throws if the system watches no more. */
  add(fd: number): void;
  /** Before it is closed: a copy of it would be watched on. */
  delete(fd: number): void;
  /** Some of those that are readable now; the others come next time. */
  readable(): readonly number[];
}

const MSG_PEEK_DONTWAIT = 0x42;
const EAGAIN = 11;
const EINTR = 4;
const F_DUPFD_CLOEXEC = 1_030;
const IPPROTO_TCP = 6;
const TCP_DEFER_ACCEPT = 9;
const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN_EPOLLRDHUP = 0x2001;
/** Events first, then what was given with them. Only on x64 is there no gap between the two. */
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const EVENT_DATA = process.arch === 'x64' ? 4 : 8;
const EVENTS_AT_ONCE = 256;

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
  const setsockopt: (fd: number, level: number, option: number, value: Uint8Array, bytes: number) => unknown =
    libc.func('int setsockopt(int fd, int level, int option, const void *value, uint bytes)');
  const epollCreate: (flags: number) => unknown = libc.func('int epoll_create1(int flags)');
  const epollControl: (watch: number, what: number, fd: number, event: Uint8Array) => unknown = libc.func(
    'int epoll_ctl(int watch, int what, int fd, void *event)',
  );
  const epollWait: (watch: number, events: Uint8Array, count: number, waitMs: number) => unknown = libc.func(
    'int epoll_wait(int watch, void *events, int count, int waitMs)',
  );
  const close: (fd: number) => unknown = libc.func('int close(int fd)');
  const byte = new Uint8Array(1);
  return {
    peek: (fd) => {
      const received = Number(recv(fd, byte, 1, MSG_PEEK_DONTWAIT));
      if (received === 1) return byte[0] ?? 0;
      const errno = koffi.errno();
      return received < 0 && (errno === EAGAIN || errno === EINTR) ? 'none' : 'ended';
    },
    watch: () => {
      let watch = Number(epollCreate(EPOLL_CLOEXEC));
      if (watch < 0) throw new Error(`cannot watch connections: errno ${koffi.errno()}`);
      const event = Buffer.alloc(EVENT_BYTES);
      const events = Buffer.alloc(EVENT_BYTES * EVENTS_AT_ONCE);
      return {
        add: (fd) => {
          event.writeUInt32LE(EPOLLIN_EPOLLRDHUP, 0);
          event.writeInt32LE(fd, EVENT_DATA);
          if (Number(epollControl(watch, EPOLL_CTL_ADD, fd, event)) < 0) {
            throw new Error(`cannot watch a connection: errno ${koffi.errno()}`);
          }
        },
        delete: (fd) => void epollControl(watch, EPOLL_CTL_DEL, fd, event),
        readable: () => {
          const count = Math.max(0, Number(epollWait(watch, events, EVENTS_AT_ONCE, 0)));
          return Array.from({ length: count }, (_, i) => events.readInt32LE(i * EVENT_BYTES + EVENT_DATA));
        },
        [Symbol.dispose]: () => {
          // A second time it would be whatever has got its number since.
          if (watch >= 0) close(watch);
          watch = -1;
        },
      };
    },
    deferAccept: (listenerFd, withinSeconds) => {
      const value = Buffer.alloc(4);
      value.writeInt32LE(withinSeconds);
      setsockopt(listenerFd, IPPROTO_TCP, TCP_DEFER_ACCEPT, value, value.length);
    },
    duplicate: (fd) => {
      const copy = Number(fcntl(fd, F_DUPFD_CLOEXEC, 'int', 0));
      if (copy < 0) throw new Error(`cannot duplicate a connection: errno ${koffi.errno()}`);
      return copy;
    },
  };
}

/** The descriptor of a connection or listener, or undefined once it is closed. */
export function descriptorOf(socket: Socket | Server): number | undefined {
  // Node has no documented way to it; the handle of an open TCP socket has had this property in every version.
  if (!('_handle' in socket) || typeof socket._handle !== 'object' || socket._handle === null) return undefined;
  const handle = socket._handle;
  return 'fd' in handle && typeof handle.fd === 'number' && handle.fd > 2 ? handle.fd : undefined;
}
