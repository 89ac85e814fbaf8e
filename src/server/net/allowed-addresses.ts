import { Networks } from './networks.js';

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
export class AllowedAddresses {
  readonly #networks: Networks;
  readonly #further: readonly string[];

  constructor(further: readonly string[]) {
    this.#further = further;
    this.#networks = new Networks([...PRIVATE_NETWORKS, ...further]);
  }

  has(address: string): boolean {
    return this.#networks.has(address);
  }

  /** For people. */
  describe(): string {
    return ['loopback and private addresses', ...this.#further].join(', ');
  }
}
