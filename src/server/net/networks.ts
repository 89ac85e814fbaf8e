import { BlockList, isIP } from 'node:net';

/** A set of networks, given as addresses or `address/prefix`. Throws Error naming a wrong one. */
export class Networks {
  readonly #networks = new BlockList();

  constructor(networks: readonly string[]) {
    for (const network of networks) this.#add(network);
  }

  /** False also for what is no address. */
  has(address: string): boolean {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#networks.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }

  #add(network: string): void {
    const [address = '', prefix, ...rest] = network.split('/');
    const version = isIP(address);
    const longest = version === 4 ? 32 : 128;
    const bits = prefix === undefined ? longest : Number(prefix);
    const wrong = version === 0 || rest.length > 0 || prefix === '' || !Number.isInteger(bits);
    if (wrong || bits < 0 || bits > longest) {
      throw new Error(`"${network}" is no network; write it as in "10.0.0.0/8"`);
    }
    this.#networks.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
}

/** A v4 peer of a v6 listener without the prefix that marks it; zone names of link-local addresses are left out. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

const PRIVATE_NETWORKS: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

/** Loopback and private networks, and those given as addresses or `address/prefix`. Throws Error naming a wrong one. */
export class AllowedAddresses extends Networks {
  readonly #further: readonly string[];

  constructor(further: readonly string[]) {
    super([...PRIVATE_NETWORKS, ...further]);
    this.#further = further;
  }

  /** For people. */
  describe(): string {
    return ['loopback and private addresses', ...this.#further].join(', ');
  }
}
