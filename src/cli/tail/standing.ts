import type { Stream } from '../../shared/protocol/agent-frames.js';
import { HostStatus, isActive, STATUS_RULES } from '../../shared/task-states.js';
import type { FailedHost, ShownAction, ShownStatus, Summary } from './viewer.js';

/** A last line is looked for in so many bytes at the end of a stream. */
const KEPT_BYTES = 200;

interface Ends {
  stdout: Buffer;
  stderr: Buffer;
}

/** Collects what a summary says: the status of each host, the ends of its streams, and the task's action. */
export class Standing {
  readonly #statuses = new Map<string, ShownStatus>();
  readonly #ends = new Map<string, Ends>();
  readonly #counts = new Map<HostStatus, number>();
  #paused = false;

  status(host: string, status: ShownStatus): void {
    const before = this.#statuses.get(host);
    if (before) this.#count(before.status, -1);
    this.#count(status.status, 1);
    this.#statuses.set(host, status);
  }

  /** Its output comes now, and its status after that. */
  running(host: string): void {
    this.status(host, { status: 'running', clock: 0, exitCode: null, reason: null, startBeforeMs: null });
  }

  /** A run that begins has printed nothing. */
  restarted(host: string): void {
    this.#ends.delete(host);
  }

  output(host: string, stream: Stream, data: Uint8Array): void {
    const ends = this.#ends.get(host) ?? { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
    this.#ends.set(host, ends);
    // Copied: the piece lies in a buffer of a whole frame.
    ends[stream] = Buffer.concat([ends[stream], data.subarray(-KEPT_BYTES)]).subarray(-KEPT_BYTES);
  }

  action(action: ShownAction): void {
    this.#paused = action.action === 'pause';
  }

  /** True if nothing goes on until somebody starts the task again: it is paused, and no shown host runs any more. */
  get paused(): boolean {
    return this.#paused && this.#counts.has('waiting') && ![...this.#counts.keys()].some(isActive);
  }

  summary(ok: boolean): Summary {
    const failed: FailedHost[] = [];
    for (const [host, { status, exitCode, reason }] of this.#statuses) {
      const { outcome, ok: succeeded } = STATUS_RULES[status];
      if (outcome && !succeeded) failed.push({ host, status, exitCode, reason, lastLine: this.#lastLine(host) });
    }
    return { ok, paused: this.paused, counts: this.#inOrder(), failed };
  }

  #count(status: HostStatus, by: number): void {
    const count = (this.#counts.get(status) ?? 0) + by;
    if (count === 0) this.#counts.delete(status);
    else this.#counts.set(status, count);
  }

  #inOrder(): Summary['counts'] {
    const counted = Object.values(HostStatus).map((status) => [status, this.#counts.get(status) ?? 0] as const);
    return Object.fromEntries(counted.filter(([, count]) => count > 0));
  }

  #lastLine(host: string): string {
    const { stderr = Buffer.alloc(0), stdout = Buffer.alloc(0) } = this.#ends.get(host) ?? {};
    return lastLine(stderr) || lastLine(stdout);
  }
}

/** Without control characters, which could move the cursor of the terminal that shows it. */
function lastLine(end: Buffer): string {
  const lines = end.toString().split(/[\r\n]+/);
  const printable = lines.map((line) => line.replaceAll(/\p{Cc}/gu, '').trim());
  return printable.findLast((line) => line !== '') ?? '';
}
