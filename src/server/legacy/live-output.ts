import { isUtf8 } from 'node:buffer';
import type { Stream } from '../../shared/protocol/agent-frames.js';
import { STORED_TAIL_BYTES } from '../../shared/protocol/limits.js';
import { storedText } from '../core/stored-text.js';
import type { ByteBudget } from './byte-budget.js';
import type { ReportedTask } from './rpc-codec.js';

interface Text {
  /** as it would be stored */
  readonly bytes: Buffer;
  /** of what the agent sent */
  readonly sentBytes: number;
}

export type LiveTexts = Readonly<Record<Stream, Buffer>>;

/**
 * The output of one agent's running scripts, as its last report had it. All agents together keep no more than a common
 * budget; a text that does not fit is dropped until there is room again.
 */
export class LiveOutput {
  readonly #budget: ByteBudget;
  readonly #texts = new Map<string, Text>();

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** True if anything is new. */
  update(task: ReportedTask, clock: number): boolean {
    const stdout = this.#put(key(task.taskId, clock, 'stdout'), task.stdout);
    const stderr = this.#put(key(task.taskId, clock, 'stderr'), task.stderr);
    return stdout || stderr;
  }

  /** Undefined where nothing is kept of the run. */
  get(taskId: number, clock: number): LiveTexts | undefined {
    const stdout = this.#texts.get(key(taskId, clock, 'stdout'));
    const stderr = this.#texts.get(key(taskId, clock, 'stderr'));
    return stdout && stderr && { stdout: stdout.bytes, stderr: stderr.bytes };
  }

  forget(taskId: number, clock: number): void {
    this.#drop(key(taskId, clock, 'stdout'));
    this.#drop(key(taskId, clock, 'stderr'));
  }

  /** Forgets the runs of all other tasks. */
  retain(has: (taskId: number) => boolean): void {
    for (const name of this.#texts.keys()) if (!has(Number.parseInt(name, 10))) this.#drop(name);
  }

  #put(name: string, sent: Uint8Array): boolean {
    const before = this.#texts.get(name);
    if (before?.sentBytes === sent.length && (before.bytes.length !== sent.length || before.bytes.equals(sent))) {
      return false;
    }
    const bytes =
      isUtf8(sent) && sent.length <= STORED_TAIL_BYTES ? Buffer.from(sent) : Buffer.from(storedText(sent, sent.length));
    this.#drop(name);
    if (!this.#budget.take(bytes.length)) return false;
    this.#texts.set(name, { bytes, sentBytes: sent.length });
    return true;
  }

  #drop(name: string): void {
    const text = this.#texts.get(name);
    if (!text) return;
    this.#budget.giveBack(text.bytes.length);
    this.#texts.delete(name);
  }
}

function key(taskId: number, clock: number, stream: Stream): string {
  return `${taskId}-${clock}-${stream}`;
}
