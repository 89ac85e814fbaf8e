import type { Socket } from 'node:net';
import { CappedMap } from '../../shared/capped-map.js';
import type { Log } from '../../shared/log.js';
import { plainAddress, type AllowedAddresses } from '../net/networks.js';
import { ByteBudget } from './byte-budget.js';
import { LegacyConnection, type CallHandler } from './legacy-connection.js';

/** Connections at the same time; one more is closed at once. */
const MAX_CONNECTIONS = 65_536;
/** Bytes of calls that are not answered yet, of all connections together. */
const MAX_UNANSWERED_BYTES = 256 * 1024 * 1024;
const SWEEP_EVERY_MS = 2_000;
/** An address that may not come in is logged once in so long, ms; so many addresses are remembered, the latest. */
const LOG_EVERY_MS = 60_000;
const MAX_LOGGED = 1_000;

/** Takes in the connections of legacy agents, from addresses that are allowed. Disposing it closes all of them. */
export class LegacyEndpoint implements Disposable {
  readonly #handler: CallHandler;
  readonly #allowed: AllowedAddresses;
  readonly #log: Log;
  readonly #budget = new ByteBudget(MAX_UNANSWERED_BYTES);
  readonly #connections = new Set<LegacyConnection>();
  /** when each address was logged */
  readonly #loggedMs = new CappedMap<string, number>(MAX_LOGGED);
  readonly #sweeper: NodeJS.Timeout;
  #lastId = 0;
  #stopped = false;

  constructor(handler: CallHandler, allowed: AllowedAddresses, log: Log) {
    this.#handler = handler;
    this.#allowed = allowed;
    this.#log = log;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_EVERY_MS);
  }

  /** `socket`: paused, with nothing of it read. */
  accept(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '');
    const allowed = this.#allowed.has(address);
    if (!allowed && address !== '') this.#logRefusal(address);
    if (!allowed || this.#stopped || this.#connections.size >= MAX_CONNECTIONS) {
      socket.on('error', () => undefined).destroy();
      return;
    }
    const [id, handler, budget, log] = [++this.#lastId, this.#handler, this.#budget, this.#log];
    const connection = new LegacyConnection(socket, { id, handler, budget, log });
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    clearInterval(this.#sweeper);
    for (const connection of this.#connections) connection.close();
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.checkSilence(nowMs);
  }

  #logRefusal(address: string): void {
    const nowMs = performance.now();
    if (nowMs - (this.#loggedMs.get(address) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    this.#loggedMs.set(address, nowMs);
    this.#log.warn(
      { address, remedy: 'name its network in [RPC] LegacyAllow, or run ibex agentd there' },
      'a legacy agent from a public address was turned away',
    );
  }
}
