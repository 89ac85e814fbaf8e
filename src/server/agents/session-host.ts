import type { Log } from '../../shared/log.js';
import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import type { CloseCode } from '../../shared/protocol/close-codes.js';
import type { ClusterIdentity } from '../store/store.js';
import type { AgentEvents } from '../tasks/agent-gateway.js';
import type { HostSession } from './host-session.js';

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
