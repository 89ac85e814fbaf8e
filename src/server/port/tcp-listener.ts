import { createServer, type Server, type Socket } from 'node:net';
import { cannotListen } from '../net/listening.js';
import type { Address, Listener } from '../net/uws.js';
import { descriptorOf, type SocketCalls } from './socket-calls.js';

/** Connections that may wait to be accepted; the system allows 4,096 by default. */
const BACKLOG = 4_096;
const FIRST_BYTES_WITHIN_SECONDS = 5;

/**
 * Listens with Node's own sockets; each connection is handed over paused, with nothing of it read. Disposing the
 * listener ends only the accepting. With `calls`, connections come once their first byte is there. Throws UserError naming address and configuration key.
 */
export async function listenTcp(
  address: Address,
  configKey: string,
  accept: (socket: Socket) => void,
  calls?: Pick<SocketCalls, 'deferAccept'>,
): Promise<Listener> {
  const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(address, configKey, error)));
    server.listen({ host: address.host, port: address.port, exclusive: true, backlog: BACKLOG }, () => resolve());
  });
  const fd = descriptorOf(server);
  // Every agent speaks first. Accepted before that, thousands that come together would have to be looked at in vain.
  if (calls && fd !== undefined) calls.deferAccept(fd, FIRST_BYTES_WITHIN_SECONDS);
  // Only the accepting of one connection can fail from now on, which its peer notices.
  server.on('error', () => undefined);
  return { port: portOf(server), [Symbol.dispose]: () => void server.close() };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
