import type { AssignFrame } from '../../shared/protocol/agent-frames.js';
import type { TaskMeta } from '../core/records.js';

/** The parts of an assign frame that are the same for every host and start of a task. */
type FrameBody = Pick<AssignFrame, 't' | 'taskId' | 'account' | 'script' | 'args' | 'stdin' | 'timeoutMs' | 'terminal'>;

/**
 * A script as agents get it; it is stored as sent. A carriage return at a line's end would become part of the commands,
 * and a byte order mark part of the first one: the kernel finds no interpreter line behind it.
 */
export function runnableScript(script: string): string {
  return script.replace(/^\uFEFF+/, '').replaceAll('\r\n', '\n');
}

/**
 * Makes the assign frames of one task. Equal frames are the same object, so that a script for many hosts is turned
 * into bytes once.
 */
export class AssignFrames {
  readonly #body: FrameBody;
  #last: AssignFrame | undefined;

  constructor(meta: TaskMeta) {
    this.#body = {
      t: 'assign',
      taskId: meta.id,
      account: meta.account,
      script: runnableScript(meta.script),
      args: meta.args === '' ? [] : meta.args.split(',,'),
      stdin: meta.stdin,
      timeoutMs: meta.timeout * 1_000,
      ...(meta.terminal === undefined ? {} : { terminal: meta.terminal }),
    };
  }

  frame(clock: number, remainingMs: number): AssignFrame {
    // Whole tenths of a second, rounded down, so that agents coming back together get the same frame.
    const startWithinMs = Math.max(0, Math.floor(remainingMs / 100) * 100);
    if (this.#last?.clock !== clock || this.#last.startWithinMs !== startWithinMs) {
      this.#last = { ...this.#body, clock, startWithinMs };
    }
    return this.#last;
  }
}
