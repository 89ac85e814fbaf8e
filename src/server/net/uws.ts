import { createServer } from 'node:net';
import { us_listen_socket_close, us_socket_local_port, type TemplatedApp } from 'uWebSockets.js';
import { cannotListen } from './listening.js';

/*
 * Facts about uWebSockets.js that code in agents/ relies on:
 * - send() answers 1 (sent), 0 (buffered, will drain) or 2 (dropped: over maxBackpressure).
 * - The default limits are 16 KiB a frame (a longer one closes with 1006) and 64 KiB of backpressure.
 * - A message's ArrayBuffer is emptied when its handler returns: what must live longer is copied.
 * - A request object dies when its handler returns; a response must have onAborted if it is answered later, and may
 *   not be touched after either.
 * - Its HTTP is not used for the API. It closes idle connections after about 12 s, which can't be set, so that every
 *   answer to a POST would have to close its connection; it ends connections on which a request comes while an earlier
 *   one is being answered, and refuses HTTP/1.0, which many proxies and health checks speak. Measured with 16 callers,
 *   node:http on kept connections takes 39 µs a POST and uWS on new ones 43, and callers get 1.7 times as many through.
 * - The peer's port is not to be had.
 * - adoptSocket(fd) takes over a connection that someone else has accepted, with nothing of it read. It is on the app
 *   but not documented, so it may be missing from another version.
 */

export const MAX_BACKPRESSURE_BYTES = 16 * 1024 * 1024;
/** Longest idle time that uWS can be told, seconds. */
export const LONGEST_IDLE_SECONDS = 960;
export const SendStatus = Object.freeze({ buffered: 0, sent: 1, dropped: 2 } as const);

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Listener extends Disposable {
  /** as in force: where the configured one is 0, the one that the system chose */
  readonly port: number;
}

// Without this option uWS lets two processes share a port, and each gets a part of the connections.
const EXCLUSIVE_PORT = 1;

/** The form of listen() that takes host, port and options exists, but the package's types leave it out. */
interface ExclusiveListen {
  listen(host: string, port: number, options: number, done: (socket: ListenSocket | false) => void): void;
}
type ListenSocket = Parameters<typeof us_listen_socket_close>[0];

/**
 * Makes an app listen. Disposing the listener ends only the accepting of connections; `app.close()` ends those that
 * are open. Throws UserError naming address and configuration key.
 */
export async function listen(app: TemplatedApp, address: Address, configKey: string): Promise<Listener> {
  let opened: ListenSocket | false = false;
  // The cast adds the overload described above; nothing else of the app is used through it.
  const exclusive = app as unknown as ExclusiveListen;
  exclusive.listen(address.host, address.port, EXCLUSIVE_PORT, (socket) => {
    opened = socket;
  });
  if (!isOpen(opened)) throw cannotListen(address, configKey, await obstacle(address));
  let socket: ListenSocket | undefined = opened;
  return {
    port: us_socket_local_port(socket),
    [Symbol.dispose]: () => {
      if (socket !== undefined) us_listen_socket_close(socket);
      socket = undefined;
    },
  };
}

/** False where this build of uWS takes no connections that others have accepted. */
export function canAdopt(app: TemplatedApp): boolean {
  return 'adoptSocket' in app && typeof app.adoptSocket === 'function';
}

/** Gives a connection to an app, which closes the descriptor when it ends. Only where canAdopt() says true. */
export function adoptSocket(app: TemplatedApp, fd: number): void {
  // The cast adds the function described above, which the package's types leave out.
  (app as unknown as AdoptingApp).adoptSocket(fd);
}

interface AdoptingApp {
  adoptSocket(fd: number): void;
}

function isOpen(socket: ListenSocket | false): socket is ListenSocket {
  return socket !== false;
}

/** uWS does not say why it can't listen; Node's own listener meets the same obstacle and names it. */
function obstacle({ host, port }: Address): Promise<Error> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () =>
      server.close(() => resolve(new Error('the port was taken a moment ago; try again'))),
    );
  });
}

/** The peer's address as people write it. To be called before the request's handler returns. */
export function addressText(bytes: ArrayBuffer): string {
  const text = Buffer.from(bytes).toString();
  // A v4 peer of a v6 listener comes as eight groups of hex digits.
  const mapped = /^(?:0000:){5}ffff:([0-9a-f]{2})([0-9a-f]{2}):([0-9a-f]{2})([0-9a-f]{2})$/.exec(text);
  return mapped
    ? mapped
        .slice(1)
        .map((hex) => Number.parseInt(hex, 16))
        .join('.')
    : text;
}
