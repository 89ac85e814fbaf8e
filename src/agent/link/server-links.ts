import { setTimeout as wait } from 'node:timers/promises';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { chooseAddresses, type Measured } from './address-choice.js';
import { dial } from './dial.js';
import { ServerLink, type LinkParts } from './server-link.js';

/** Sessions that an agent holds. More would cost every server, and bring nothing: each server reaches each agent. */
const MOST_SESSIONS = 3;
/** A server that takes longer to prove itself counts as silent, ms. */
const ANSWER_WITHIN_MS = 2_000;
/** All addresses are measured anew after half to all of this, ms. */
const MEASURE_EVERY_MS = 600_000;
/** A held address without a session for so long has them measured sooner. */
const LOST_MS = 5_000;
const MEASURE_LOST_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

/**
 * The sessions of an agent: with every address, or with the three fastest where there are more. Held addresses are kept
 * unless another one is faster by much, or one of them is lost.
 */
export class ServerLinks implements Disposable {
  readonly #urls: ReadonlyMap<string, URL>;
  readonly #parts: LinkParts;
  readonly #links = new Map<string, ServerLink>();
  readonly #stop = new AbortController();

  /** The same address twice counts once. */
  constructor(urls: readonly URL[], parts: LinkParts) {
    this.#urls = new Map(urls.map((url) => [url.href, url]));
    this.#parts = parts;
  }

  start(): void {
    if (this.#urls.size <= MOST_SESSIONS) this.#hold([...this.#urls.keys()]);
    else void this.#holdFastest();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#hold([]);
  }

  async #holdFastest(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const measured = await Promise.all([...this.#urls].map(([address, url]) => this.#measure(address, url)));
      if (signal.aborted) return;
      this.#hold(chooseAddresses(measured, MOST_SESSIONS));
      await this.#nextTime(signal).catch(() => undefined);
    }
  }

  /** Rejects when this is disposed of. */
  async #nextTime(signal: AbortSignal): Promise<void> {
    const everyMs = MEASURE_EVERY_MS * (0.5 + 0.5 * Math.random());
    for (let waitedMs = 0; waitedMs < everyMs; waitedMs += LOOK_EVERY_MS) {
      await wait(LOOK_EVERY_MS, undefined, { signal });
      const lost = [...this.#links.values()].some((link) => link.lostForMs() > LOST_MS);
      if (lost && waitedMs >= MEASURE_LOST_EVERY_MS) return;
    }
  }

  async #measure(address: string, url: URL) {
    const answer = await timeToProof(url, this.#parts);
    return { address, answer, held: this.#links.has(address) };
  }

  #hold(addresses: readonly string[]): void {
    for (const [address, link] of this.#links) {
      if (addresses.includes(address)) continue;
      this.#links.delete(address);
      link[Symbol.dispose]();
    }
    for (const address of addresses) {
      const url = this.#urls.get(address);
      if (!url || this.#links.has(address)) continue;
      const link = new ServerLink(url, this.#parts);
      this.#links.set(address, link);
      link.start();
    }
  }
}

/**
 * Tells how long a server takes to prove itself to this agent, from the first packet: the way there and back, several
 * times, and how busy the server is. The session ends there, before the server has to ask its database. Resolves with
 * undefined if no proof comes in time.
 */
function timeToProof(url: URL, { self, index }: LinkParts): Promise<Measured['answer']> {
  const began = performance.now();
  return new Promise((resolve) => {
    const session = dial(url, self, index, {
      onProved: ({ server }) => {
        resolve({ ms: performance.now() - began, instance: server });
        return false;
      },
      onReady: () => undefined,
      onFrame: () => undefined,
      onEnded: () => {
        clearTimeout(patience);
        resolve(undefined);
      },
    });
    const patience = setTimeout(() => session.close(CloseCode.normal, 'too slow'), ANSWER_WITHIN_MS);
  });
}
