import { once } from 'node:events';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/**
 * The wished port of the loopback address, or a free one where that is taken.
 * @param {number} wished 0 for any
 * @returns {Promise<number>}
 */
export async function freePort(wished) {
  const server = createServer();
  server.listen(wished, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (wished !== 0) return await freePort(0);
    throw error;
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
