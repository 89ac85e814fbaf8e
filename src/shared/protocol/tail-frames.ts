import type { HostStatus } from '../task-states.js';
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

/** server -> viewer: a host's status now. A clock other than before means a new run, whose output begins at 0 */
export interface TailStatusFrame {
  readonly t: 'status';
  readonly channel: number;
  readonly status: HostStatus;
  /** 0 while the host has not been started */
  readonly clock: number;
  readonly exitCode: number | null;
  readonly reason: string | null;
}

/** server -> viewer: bytes [from, to) of this stream are not to be had; what follows begins at `to` */
export interface TailGapFrame {
  readonly t: 'gap';
  readonly channel: number;
  readonly stream: Stream;
  readonly from: number;
  readonly to: number;
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

export type TailServerTextFrame = TailTaskFrame | TailStatusFrame | TailGapFrame | TailNoteFrame | TailEndFrame;
export type TailServerFrame = TailServerTextFrame | OutputFrame;
