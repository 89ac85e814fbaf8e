import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { Claim } from '../runs/claim.js';
import type { ScriptTree } from './script-tree.js';

export interface ScriptEnd {
  /** as the shell says it: 128 + n after signal n; undefined where nobody saw it */
  readonly code: number | undefined;
  /** wall clock, ms */
  readonly exitedMs: number;
  /** streams of which bytes written after the last one kept may be missing */
  readonly cut: ReadonlySet<Stream>;
  /** false where it is certain that the script itself never began; left out otherwise */
  readonly begun?: false;
}

/** A script in the hands of this executor, started by it or taken over. */
export interface RunningScript {
  readonly claim: Claim;
  /** wall clock, ms */
  readonly startedMs: number;
  /** the script has ended, and so have the processes through which it writes, or they were given up */
  readonly ended: Promise<ScriptEnd>;
  /** nothing is held for it any more */
  readonly released: Promise<void>;
  /** the script itself has ended: nothing that is done to its processes changes how */
  hasExited(): boolean;
  /** gives up processes through which an ended script still writes; `ended` resolves soon */
  stopWaiting(): void;
  /** its processes, to end them; undefined while none is known, as right after the start */
  tree(): ScriptTree | undefined;
  /** its launcher with all that comes of it, to end it before it starts the script; undefined where there is none */
  launcherTree(): ScriptTree | undefined;
}
