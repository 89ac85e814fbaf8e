import { CappedMap } from '../../shared/capped-map.js';
import { encodeFrame } from '../../shared/protocol/agent-codec.js';
import type { AssignFrame } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';
import type { AgentGateway } from '../tasks/agent-gateway.js';
import type { HostSession } from './host-session.js';
import type { Watch, WatchRequest, WatchSink } from './session-watches.js';

/** Agents that have gone whose beat is remembered. */
const MAX_GONE = 10_000;

/** The session of each Host. One that is still listing its runs holds its Host, but takes no work yet. */
export class SessionRegistry implements AgentGateway {
  readonly #byHost = new Map<string, HostSession>();
  /** of agents that ask for their work and have gone */
  readonly #beatMs = new CappedMap<string, number>(MAX_GONE);
  readonly #listeners = new Set<(host: string) => void>();

  /** The session that holds the Host now. */
  holder(host: string): HostSession | undefined {
    return this.#byHost.get(host);
  }

  claim(host: string, session: HostSession): void {
    this.#byHost.set(host, session);
    if (session.pushed) this.#beatMs.delete(host);
  }

  /** True if the session held its Host. */
  release(session: HostSession): boolean {
    if (this.#byHost.get(session.host) !== session) return false;
    this.#byHost.delete(session.host);
    if (!session.pushed) this.#beatMs.set(session.host, session.beatMs);
    return true;
  }

  /** Calls back when a host's agent has come and listed its runs, until the returned function is called. */
  onReady(listener: (host: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(session: HostSession): void {
    for (const listener of this.#listeners) listener(session.host);
  }

  assign(hosts: readonly string[], frame: AssignFrame): void {
    let encoded: Buffer | undefined;
    for (const host of hosts) {
      const session = this.#ready(host);
      if (session?.pushed) session.assign((encoded ??= Buffer.from(encodeFrame(frame))));
    }
  }

  kill(host: string, run: RunId): boolean {
    const session = this.#ready(host);
    session?.kill(run);
    return session !== undefined;
  }

  connected(host: string): boolean {
    return this.#ready(host)?.pushed ?? false;
  }

  present(host: string): boolean {
    return this.#ready(host) !== undefined;
  }

  beatMs(host: string): number {
    return this.#byHost.get(host)?.beatMs ?? this.#beatMs.get(host) ?? 0;
  }

  holdsRun(host: string, run: RunId): boolean {
    return this.#ready(host)?.holds(run) ?? false;
  }

  /** Undefined where the host has no session; the sink is not called then. */
  watch(host: string, request: WatchRequest, sink: WatchSink): Watch | undefined {
    return this.#ready(host)?.watch(request, sink);
  }

  #ready(host: string): HostSession | undefined {
    const session = this.#byHost.get(host);
    return session?.ready ? session : undefined;
  }
}
