import type { Log } from '../../shared/log.js';
import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import type { CloseCode } from '../../shared/protocol/close-codes.js';
import type { RunId } from '../../shared/run-key.js';
import type { ClusterIdentity } from '../store/store.js';
import type { AgentEvents } from '../tasks/agent-gateway.js';
import type { Watch, WatchRequest, WatchSink } from './session-watches.js';

/** The one agent that has a Host now, whatever it speaks. None of it throws, also after its end. */
export interface HostSession {
  readonly host: string;
  readonly address: string;
  /** undefined for agents whose protocol has none */
  readonly hello: HelloFrame | undefined;
  readonly ready: boolean;
  /** runs that its agent has reported as started or waiting for their turn */
  readonly heldRuns: readonly RunId[];
  /** true: it is sent its work. false: it asks for it, and assignments and kills reach it with its next report */
  readonly pushed: boolean;
  /** ms between two beats of an agent that asks for its work, 0 for one that is sent it */
  readonly beatMs: number;
  /** Resolves with true as soon as the agent is heard, with false if it is silent for so long or has gone. */
  probe(withinMs: number): Promise<boolean>;
  close(code: number, reason: string): void;
  /** `frame`: an assign frame, encoded once for all hosts that get it. */
  assign(frame: Uint8Array): void;
  kill(run: RunId): void;
  /** True if the agent has this run and it has not ended. */
  holds(run: RunId): boolean;
  /** Only for a session that is ready. */
  watch(request: WatchRequest, sink: WatchSink): Watch;
}

/** The part of a connection that a session uses. No member throws, also after the connection has ended. */
export interface AgentSocket {
  /** The peer's address, for people. */
  readonly address: string;
  /** Sends a text frame, given as text or as its UTF-8. False if it was dropped because the peer does not read. */
  send(frame: string | Uint8Array): boolean;
  /** Asks the peer for a WebSocket pong. */
  ping(): void;
  close(code: number, reason: string): void;
}

/** A session that asks for its Host, and may end before it is answered. */
export interface OpeningSession extends HostSession {
  readonly closed: boolean;
}

export type Admission =
  /** `newStore`: the agent's memory of earlier runs is gone */
  | { readonly admitted: true; readonly newStore: boolean }
  | { readonly admitted: false; readonly closeCode: CloseCode; readonly why: string };

/** The server as its sessions see it. */
export interface SessionHost {
  readonly cluster: ClusterIdentity;
  /** of this server process */
  readonly instance: string;
  readonly events: AgentEvents;
  readonly log: Log;
  /** Hosts without a session that this agent had on its machine before, since that was started. */
  formerHosts(session: HostSession): readonly string[];
  monotonicMs(): number;
  /** The agent has proved its key: may it have its Host? A session that is admitted holds the Host until it closes. */
  admit(session: OpeningSession, hello: HelloFrame): Promise<Admission>;
  /** The runs have been listed for the first time: from now on the session takes work. */
  ready(session: HostSession): void;
  closed(session: HostSession): void;
}
