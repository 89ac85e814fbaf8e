import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { HostStatus } from '../../shared/task-states.js';

export interface ShownTask {
  readonly taskId: number;
  readonly title: string;
  readonly hosts: readonly string[];
}

export interface ShownStatus {
  readonly status: HostStatus;
  readonly clock: number;
  readonly exitCode: number | null;
  readonly reason: string | null;
}

/**
 * One way to show a task: lines, raw bytes or JSON. Called one at a time, in the order of events; each call resolves
 * once standard output has room for more.
 */
export interface Viewer {
  task(task: ShownTask): Promise<void>;
  /** the next bytes of this stream, without overlap or hole */
  output(host: string, stream: Stream, data: Uint8Array): Promise<void>;
  /** these bytes of the stream are not to be had; what follows begins at `to` */
  gap(host: string, stream: Stream, from: number, to: number): Promise<void>;
  /** a new run of the host begins; what was unfinished of the old one stays so */
  restarted(host: string): Promise<void>;
  status(host: string, status: ShownStatus): Promise<void>;
  /** something a person should know about a host, or about the connection where host is undefined */
  note(host: string | undefined, text: string): Promise<void>;
  /** everything has been sent */
  end(ok: boolean): Promise<void>;
}
