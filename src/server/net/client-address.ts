import { isIP } from 'node:net';
import { Networks, plainAddress } from './networks.js';

/** An address with a port, as some proxies write them. */
const WITH_PORT = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/;

/**
 * Finds the address of a caller by the X-Forwarded-For of proxies that are trusted. Throws Error naming a network that is none.
 */
export class ClientAddress {
  readonly #trusted: Networks;

  constructor(trustedProxies: readonly string[]) {
    this.#trusted = new Networks(trustedProxies);
  }

  /**
   * `peer`: the address at the other end of the connection. `forwardedFor`: the header, its lines in order and joined by
   * commas. Each proxy adds the address that it was called from at the right, so it is read from there, and believed as
   * long as the address that has added it is trusted; what a caller has put in itself lies further left.
   */
  of(peer: string, forwardedFor: string | undefined): string {
    let address = plainAddress(peer);
    const hops = forwardedFor?.split(',') ?? [];
    while (hops.length > 0 && this.#trusted.has(address)) {
      const next = hopAddress(hops.pop() ?? '');
      if (next === undefined) break;
      address = next;
    }
    return address;
  }
}

function hopAddress(text: string): string | undefined {
  const hop = text.trim();
  const match = WITH_PORT.exec(hop);
  const address = plainAddress(match?.[1] ?? match?.[2] ?? hop);
  return isIP(address) === 0 ? undefined : address;
}
