import { chownSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { describeError } from '../../shared/errors.js';
import pty, { type UnixTerminal } from 'node-pty';
import { closeOnExec, closeQuietly, forgetSize, hasRawOutput, lockRawOutput, makeRaw, pollTerminal } from './libc.js';
import type { StreamState } from './ended-script.js';

export interface TerminalEvents {
  onData(data: Uint8Array): void;
  /** nobody holds the terminal any more: nothing will be written to it */
  onReleased(): void;
  /** the program is gone */
  onExit(): void;
}

/**
 * A program on a terminal of its own, in raw mode: bytes pass as they are in both directions. Nothing is ever sent to it
 * through node-pty: its kill() and destroy() signal a pid that may belong to another process by then.
 */
export class Terminal {
  readonly pid: number;
  readonly #term: UnixTerminal;
  /**
   * The program's side, open here too. Of a terminal that hangs up with bytes unread the event loop reads one piece and
   * takes the rest for the end; so it must not hang up before all was read.
   */
  #keeper: number | undefined;
  #open = true;

  constructor(argv: readonly [string, ...string[]], env: Readonly<Record<string, string>>, events: TerminalEvents) {
    const term = spawnOnTerminal(argv, env);
    this.#term = term;
    this.pid = term.pid;
    const isLocked = prepare(term.fd);
    term.onData((data) => {
      // Bytes on their way meanwhile have CR LF for LF; where the kernel lets us lock the mode there are none.
      if (!isLocked && !hasRawOutput(term.fd)) makeRaw(term.fd);
      events.onData(data);
    });
    term.on('close', () => {
      this.#open = false;
      this.allowHangUp();
      events.onReleased();
    });
    term.onExit(() => {
      this.allowHangUp();
      events.onExit();
    });
    this.#keeper = this.#keepOpen();
  }

  /** Path of the program's side. */
  get path(): string {
    return this.#term.ptsName;
  }

  /** Tells who may still write to it. */
  look(): StreamState {
    if (!this.#open) return 'over';
    closeQuietly(this.#keeper);
    const { hasBytes, hasHungUp } = pollTerminal(this.#term.fd);
    // Bytes may have come between the kernel's look for them and its look for the hang-up, after which none can.
    const isUnread = hasBytes || (hasHungUp && pollTerminal(this.#term.fd).hasBytes);
    this.#keeper = hasHungUp && !isUnread ? undefined : this.#keepOpen();
    if (hasHungUp) return isUnread ? 'closing' : 'over';
    return isUnread ? 'unread' : 'held';
  }

  /** Lets the terminal hang up, and onReleased() come, when the last process that has it open closes it. */
  allowHangUp(): void {
    closeQuietly(this.#keeper);
    this.#keeper = undefined;
  }

  #keepOpen(): number {
    return openSync(this.#term.ptsName, constants.O_RDWR | constants.O_NOCTTY);
  }

  /** Makes an account the terminal's owner, so that it can open /dev/stdout. */
  giveTo(uid: number): void {
    chownSync(this.#term.ptsName, uid, -1);
  }

  /** Types a line, which must be short: the terminal holds 4,095 bytes. Throws if nobody can read it any more. */
  send(line: string): void {
    // The descriptor of a closed one may be somebody else's by now.
    if (!this.#open) throw new Error('the terminal is closed');
    writeSync(this.#term.fd, `${line}\n`);
  }
}

/** Returns true if no script can change how output passes. */
function prepare(fd: number): boolean {
  closeOnExec(fd);
  makeRaw(fd);
  forgetSize(fd);
  return lockRawOutput(fd);
}

function spawnOnTerminal([file, ...args]: readonly [string, ...string[]], env: Readonly<Record<string, string>>) {
  try {
    return pty.spawn(file, args, { name: 'dumb', cwd: '/', env: { ...env }, encoding: null });
  } catch (error) {
    // node-pty keeps the reason to itself.
    throw new Error(`no terminal for the script: ${terminalShortage()} (${describeError(error)})`, { cause: error });
  }
}

/** Why the system gives no terminal, as far as it tells afterwards. */
export function terminalShortage(ptmx = '/dev/ptmx', counts = '/proc/sys/kernel/pty'): string {
  if (!existsSync(ptmx)) return `${ptmx} is missing; mount devpts`;
  const count = (name: string): number => Number(readFileSync(`${counts}/${name}`, 'utf8'));
  const [used, most] = [count('nr'), count('max')];
  if (used >= most) return `all ${most} terminals of this machine are in use (sysctl kernel.pty.max)`;
  return 'the processes or the memory of this machine or unit are used up (ulimit -u, TasksMax)';
}
