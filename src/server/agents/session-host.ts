import type { Log } from '../../shared/log.js';
import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import type { CloseCode } from '../../shared/protocol/close-codes.js';
import type { ClusterIdentity } from '../store/store.js';
import type { AgentSession } from './agent-session.js';
import type { AgentEvents } from '../tasks/agent-gateway.js';

export type Admission =
  /** `newStore`: the agent's memory of earlier runs is gone */
  | { readonly admitted: true; readonly newStore: boolean }
  | { readonly admitted: false; readonly closeCode: CloseCode; readonly why: string };

/** Where a session belongs: what it proves with, whom it asks, whom it tells. */
export interface SessionHost {
  readonly cluster: ClusterIdentity;
  /** of this server process */
  readonly instance: string;
  readonly events: AgentEvents;
  readonly log: Log;
  /** Hosts without a session that this agent had on its machine before, since that was started. */
  formerHosts(session: AgentSession): readonly string[];
  /** monotonic */
  nowMs(): number;
  /** The agent has proved its key: may it have its Host? A session that is admitted holds the Host until it closes. */
  admit(session: AgentSession, hello: HelloFrame): Promise<Admission>;
  /** The runs have been listed for the first time: from now on the session takes work. */
  ready(session: AgentSession): void;
  closed(session: AgentSession): void;
}
