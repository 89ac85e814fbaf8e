import type { HostStatus, PauseCause, TaskAction } from '../task-states.js';
import type { OutputFrame, Stream } from './agent-frames.js';

/** Frames of the tail session (GET /ibex/v1/tail, upgraded): a viewer asks once, the server sends until the end. */

/** viewer -> server, first frame */
export interface TailFrame {
  readonly t: 'tail';
  readonly versions: readonly number[];
  readonly taskId: number;
  /** hosts to show; empty: all of the task */
  readonly hosts: readonly string[];
  /** where to go on after a broken connection; hosts not named begin at 0 */
  readonly from: readonly TailPosition[];
}

export interface TailPosition {
  readonly host: string;
  readonly clock: number;
  readonly stdout: number;
  readonly stderr: number;
}

/** viewer -> server: so many bytes of this host's output have been shown; the server may send as many more */
export interface TailCreditFrame {
  readonly t: 'credit';
  readonly channel: number;
  readonly bytes: number;
}

export type TailViewerFrame = TailFrame | TailCreditFrame;

/** server -> viewer, first frame: the task, and the number of each host in the frames that follow */
export interface TailTaskFrame {
  readonly t: 'task';
  readonly version: number;
  readonly taskId: number;
  readonly title: string;
  readonly hosts: readonly { readonly channel: number; readonly host: string }[];
  /** bytes of output of one host that the server sends before it needs credit */
  readonly creditBytes: number;
}

/** server -> viewer, since version 2: output that follows is of this run of the host and begins at 0 */
export interface TailRunFrame {
  readonly t: 'run';
  readonly channel: number;
  readonly clock: number;
}

/**
 * server -> viewer: a host's status now; since version 2 a final one comes after all of the run's output. A clock other
 * than before means a new run, whose output begins at 0
 */
export interface TailStatusFrame {
  readonly t: 'status';
  readonly channel: number;
  readonly status: HostStatus;
  /** 0 while the host has not been started */
  readonly clock: number;
  readonly exitCode: number | null;
  readonly reason: string | null;
  /** no agent has the run yet: unix ms until which one may start it; null otherwise, and from servers of before */
  readonly startBeforeMs: number | null;
}

/** server -> viewer, since version 2, at first and at each change: the task's action in force */
export interface TailActionFrame {
  readonly t: 'action';
  readonly action: TaskAction;
  /** null unless the action is `pause` */
  readonly cause: PauseCause | null;
  /** hosts that count against the tolerance */
  readonly failed: number;
  readonly tolerance: number;
  /** the host of the pause list after which the task paused */
  readonly pausedAfter: string | null;
}

/** server -> viewer: bytes [from, to) of this stream are left out; the stream goes on at `to` */
export interface TailGapFrame {
  readonly t: 'gap';
  readonly channel: number;
  readonly stream: Stream;
  readonly from: number;
  readonly to: number;
  /** true: the host's agent keeps these bytes, and is out of reach; false also from servers of before */
  readonly kept: boolean;
}

/** server -> viewer: one line for a person, e.g. that a host's agent is out of reach */
export interface TailNoteFrame {
  readonly t: 'note';
  readonly channel: number;
  readonly text: string;
}

/** server -> viewer, last frame: every host shown has ended and its output was sent */
export interface TailEndFrame {
  readonly t: 'end';
  /** true if every host shown succeeded */
  readonly ok: boolean;
}

export type TailServerTextFrame =
  TailTaskFrame | TailRunFrame | TailStatusFrame | TailActionFrame | TailGapFrame | TailNoteFrame | TailEndFrame;
export type TailServerFrame = TailServerTextFrame | OutputFrame;
