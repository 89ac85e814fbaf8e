import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';
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
