import type { RunId } from '../run-key.js';
import type { RunReport } from '../run-report.js';
import type { RunOutcome } from '../task-states.js';

/** Text frames of the agent session, one interface each; PROTOCOL.md gives direction, order and meaning. */

export interface HelloFrame {
  readonly t: 'hello';
  readonly versions: readonly number[];
  readonly host: string;
  /** version of the agent's program */
  readonly agent: string;
  /** of the running kernel: another value means that the machine was restarted */
  readonly bootId: string;
  /** of this agent process */
  readonly instance: string;
  /** of the agent's MetaDir: another value means that its memory of runs is gone */
  readonly storeId: string;
  /** public key, base64url of 32 bytes */
  readonly key: string;
  /** base64url of 32 random bytes */
  readonly nonce: string;
}

export interface ChallengeFrame {
  readonly t: 'challenge';
  readonly version: number;
  readonly cluster: string;
  /** of this server process */
  readonly instance: string;
  readonly key: string;
  readonly nonce: string;
  /** the server's proof, base64url of 64 bytes */
  readonly proof: string;
}

export interface ProofFrame {
  readonly t: 'proof';
  readonly proof: string;
}

export interface WelcomeFrame {
  readonly t: 'welcome';
  /** silence after which the server gives this session up, in the agent's intervals */
  readonly silentIntervals: number;
}

export const AgentRunState = Object.freeze({ accepted: 'accepted', running: 'running', ended: 'ended' } as const);
export type AgentRunState = (typeof AgentRunState)[keyof typeof AgentRunState];

export interface AgentRun extends RunId {
  readonly state: AgentRunState;
}

export interface RunsFrame {
  readonly t: 'runs';
  readonly runs: readonly AgentRun[];
  /** false while more frames of the same list follow */
  readonly last: boolean;
}

export interface HeartbeatFrame {
  readonly t: 'heartbeat';
  /** assign frames received on this session so far */
  readonly assigns: number;
  /** number of runs accepted or running, of this cluster */
  readonly runs: number;
  /** digest of those runs, see `runsDigest` */
  readonly digest: string;
  readonly intervalMs: number;
}

export interface AssignFrame extends RunId {
  readonly t: 'assign';
  readonly account: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly stdin: string;
  readonly timeoutMs: number;
  /** milliseconds from arrival until which the run may start */
  readonly startWithinMs: number;
  /** whether the script's stdout is a terminal; left out, the agent's Policy.Terminal decides */
  readonly terminal?: boolean;
}

export interface KillFrame {
  readonly t: 'kill';
  readonly taskId: number;
  /** the clock of the start to be killed; any other clock of the task that still runs is killed too */
  readonly clock: number;
}

export interface ListFrame {
  readonly t: 'list';
}

export interface AcceptedFrame extends RunId {
  readonly t: 'accepted';
}

export interface StartedFrame extends RunId {
  readonly t: 'started';
  /** agent's wall clock, milliseconds */
  readonly startedMs: number;
}

export interface ResultAckFrame extends RunId {
  readonly t: 'result-ack';
  /** stored: durable, forget it. unknown: this server knows no such run; keep it, do not send it again here */
  readonly outcome: 'stored' | 'unknown';
}

export interface AliveFrame {
  readonly t: 'alive';
}

export interface WatchFrame extends RunId {
  readonly t: 'watch';
  /** chosen by the server, unique on this session while the watch lasts */
  readonly watch: number;
  /** byte to begin with; a negative number counts back from the end. null: this stream is not wanted */
  readonly stdoutFrom: number | null;
  readonly stderrFrom: number | null;
  /** true: go on until the run has ended. false: stop at what is there now */
  readonly follow: boolean;
  /** bytes of output the agent may send before it gets more by `credit` */
  readonly creditBytes: number;
}

export interface CreditFrame {
  readonly t: 'credit';
  readonly watch: number;
  readonly bytes: number;
}

export interface UnwatchFrame {
  readonly t: 'unwatch';
  readonly watch: number;
}

export interface WatchEndFrame {
  readonly t: 'watch-end';
  readonly watch: number;
  /** complete: everything up to the end of a run that has ended. current: everything there was. gone: no such output here */
  readonly outcome: 'complete' | 'current' | 'gone';
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

/** The head of a result frame; the last bytes of both streams travel behind it in the same binary frame. */
export interface ResultHead extends RunId, RunReport {
  readonly status: RunOutcome;
}

export interface ResultFrame extends ResultHead {
  readonly t: 'result';
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export type Stream = 'stdout' | 'stderr';

/** A piece of output in a binary frame: `offset` is its first byte's position in the stream. */
export interface OutputFrame {
  readonly t: 'output';
  /** the watch (agent session) or the host's number (tail session) */
  readonly channel: number;
  readonly stream: Stream;
  readonly offset: number;
  readonly data: Uint8Array;
}

export type AgentTextFrame =
  HelloFrame | ProofFrame | RunsFrame | HeartbeatFrame | AcceptedFrame | StartedFrame | WatchEndFrame;
export type AgentFrame = AgentTextFrame | ResultFrame | OutputFrame;

export type ServerFrame =
  | ChallengeFrame
  | WelcomeFrame
  | AssignFrame
  | KillFrame
  | ListFrame
  | ResultAckFrame
  | AliveFrame
  | WatchFrame
  | CreditFrame
  | UnwatchFrame;
