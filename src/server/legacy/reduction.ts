import type { RunId } from '../../shared/run-key.js';
import type { OpenRun } from '../tasks/agent-gateway.js';
import type { AgentDraft } from './agent-state.js';
import type { Beat } from './beat.js';
import type { AssignedTask } from './rpc-codec.js';

/** Moments before which this process has not seen all. Both unix ms. */
export interface SinceWhen {
  /** runs begun before may have begun without this process having seen it */
  readonly serverStartMs: number;
  /** runs assigned before may be with an agent of another kind */
  readonly pushedUntilMs: number;
}

/** A report in hand: what it is judged by, and what comes of it so far. */
export interface Reduction {
  readonly draft: AgentDraft;
  readonly beat: Beat;
  readonly open: ReadonlyMap<number, OpenRun>;
  readonly since: SinceWhen;
  readonly list: AssignedTask[];
  readonly begun: RunId[];
  readonly lost: RunId[];
  readonly neverStarted: OpenRun[];
  readonly ungated: OpenRun[];
}
