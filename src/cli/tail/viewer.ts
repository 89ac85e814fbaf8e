import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { HostStatus } from '../../shared/task-states.js';
import type { TailActionFrame, TailStatusFrame } from '../../shared/protocol/tail-frames.js';

export interface ShownTask {
  readonly taskId: number;
  readonly title: string;
  readonly hosts: readonly string[];
}

export type ShownStatus = Omit<TailStatusFrame, 't' | 'channel'>;
export type ShownAction = Omit<TailActionFrame, 't'>;

/** Bytes of a stream that are left out; it goes on at `to`. */
export interface ShownGap {
  readonly stream: Stream;
  readonly from: number;
  readonly to: number;
  /** the host's agent has them, and is out of reach */
  readonly kept: boolean;
}

export interface FailedHost extends Pick<ShownStatus, 'status' | 'exitCode' | 'reason'> {
  readonly host: string;
  /** of its stderr, else of its stdout; '' if it printed nothing */
  readonly lastLine: string;
}

/** How the shown hosts of a task stand at the end of a tail. */
export interface Summary {
  readonly ok: boolean;
  /** the task is paused: hosts wait and none runs */
  readonly paused: boolean;
  readonly counts: Readonly<Partial<Record<HostStatus, number>>>;
  /** hosts whose scripts ended otherwise than they should, in the task's order */
  readonly failed: readonly FailedHost[];
}

/**
 * One way to show a task: lines, raw bytes or JSON. Called one at a time, in the order of events; each call resolves
 * once standard output has room for more.
 */
export interface Viewer {
  task(task: ShownTask): Promise<void>;
  /** the next bytes of this stream, without overlap or hole */
  output(host: string, stream: Stream, data: Uint8Array): Promise<void>;
  gap(host: string, gap: ShownGap): Promise<void>;
  /** a new run of the host begins; an unfinished line of the old one stays so */
  restarted(host: string): Promise<void>;
  /** a final status comes after the host's last byte */
  status(host: string, status: ShownStatus): Promise<void>;
  action(action: ShownAction): Promise<void>;
  /** something a person should know about a host, or about the connection where host is undefined */
  note(host: string | undefined, text: string): Promise<void>;
  /** everything has been sent, or nothing more comes until somebody starts the paused task again */
  end(summary: Summary): Promise<void>;
}
