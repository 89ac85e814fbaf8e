import type { Socket } from 'node:net';
import type { TemplatedApp } from 'uWebSockets.js';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import { canAdopt, listen, type Address, type Listener } from '../net/uws.js';
import { SharedPort } from './shared-port.js';
import { loadSocketCalls, type SocketCalls } from './socket-calls.js';
import { listenTcp } from './tcp-listener.js';

export interface AgentPortOptions {
  readonly app: TemplatedApp;
  readonly address: Address;
  /**
   * Undefined where no legacy agents are served. `accept` gets each connection paused, with nothing of it read; `listen`
   * is a port of their own.
   */
  readonly legacy: { readonly accept: (socket: Socket) => void; readonly listen: Address | undefined } | undefined;
  readonly log: Log;
}

/**
 * Accepts agents: both kinds on one port, where this platform can tell them apart, and legacy agents also on a port of
 * their own if there is one. Disposing it ends the accepting. Throws UserError where a port can't be had.
 */
export class AgentPort implements Disposable {
  readonly port: number;
  /** 0: none of their own */
  readonly legacyPort: number;
  readonly #parts: readonly Disposable[];

  private constructor(port: number, legacyPort: number, parts: readonly Disposable[]) {
    this.port = port;
    this.legacyPort = legacyPort;
    this.#parts = parts;
  }

  static async open(options: AgentPortOptions): Promise<AgentPort> {
    const { app, legacy, log } = options;
    const calls = legacy && (await sharingCalls(app, log, legacy.listen !== undefined));
    const opened: Disposable[] = [];
    try {
      const main = await listenToAll(options, calls, opened);
      const own = legacy?.listen && (await listenTcp(legacy.listen, 'RPC.LegacyListen', legacy.accept));
      if (own) opened.push(own);
      return new AgentPort(main.port, own?.port ?? 0, opened);
    } catch (error) {
      for (const part of opened) part[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const part of this.#parts) part[Symbol.dispose]();
  }
}

async function listenToAll(
  { app, address, legacy, log }: AgentPortOptions,
  calls: SocketCalls | undefined,
  opened: Disposable[],
): Promise<Listener> {
  if (!legacy || !calls) {
    const listener = await listen(app, address, 'RPC.Listen');
    opened.push(listener);
    return listener;
  }
  const shared = new SharedPort(calls, { app, legacy: legacy.accept }, log);
  opened.push(shared);
  const listener = await listenTcp(address, 'RPC.Listen', (socket) => shared.accept(socket), calls);
  opened.push(listener);
  return listener;
}

/** Undefined, with a warning in the log, where this platform can't tell the kinds of agents on one port apart. */
async function sharingCalls(app: TemplatedApp, log: Log, ownPort: boolean): Promise<SocketCalls | undefined> {
  let why = 'uWebSockets.js takes no connections from others';
  try {
    const calls = await loadSocketCalls();
    if (canAdopt(app)) return calls;
  } catch (error) {
    why = describeError(error);
  }
  const remedy = ownPort
    ? 'they are served on [RPC] LegacyListen'
    : 'give them a port of their own: [RPC] LegacyListen';
  log.warn({ why, remedy }, 'legacy agents cannot be served on the port of the others here');
  return undefined;
}
