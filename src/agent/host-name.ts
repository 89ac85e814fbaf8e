import { createSocket } from 'node:dgram';
import { hostname } from 'node:os';
import { UserError } from '../shared/errors.js';

/** Resolves the Host key (`$hostname`, `$ip` or a fixed text) to the agent's Host. Rejects with UserError if there is none. */
export async function resolveHost(setting: string, servers: readonly URL[]): Promise<string> {
  switch (setting) {
    case '$hostname':
      return hostname();
    case '$ip':
      return outboundAddress(servers);
    default:
      return setting;
  }
}

/** The local address that routes to the internet, else the one that routes to a server. Nothing is sent. */
async function outboundAddress(servers: readonly URL[]): Promise<string> {
  const targets = [
    { host: '8.8.8.8', port: 80 },
    ...servers.map((url) => ({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || 80 })),
  ];
  for (const { host, port } of targets) {
    const address = await localAddressTowards(host, port);
    if (address !== undefined) return address;
  }
  throw new UserError('Heartbeat.Host = "$ip": no address of this machine leads to 8.8.8.8 or to any of Servers');
}

async function localAddressTowards(host: string, port: number): Promise<string | undefined> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, host, resolve);
    });
    const { address } = socket.address();
    // Some kernels let a socket without a route connect, and give it no address.
    return address === '0.0.0.0' || address === '::' ? undefined : address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}
