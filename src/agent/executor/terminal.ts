import { chownSync, writeSync } from 'node:fs';
import pty, { type UnixTerminal } from 'node-pty';
import { closeOnExec, makeRaw } from './libc.js';

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
  #open = true;

  constructor(argv: readonly [string, ...string[]], env: Readonly<Record<string, string>>, events: TerminalEvents) {
    const [file, ...args] = argv;
    const term = pty.spawn(file, args, {
      name: 'dumb',
      cols: 200,
      rows: 50,
      cwd: '/',
      env: { ...env },
      encoding: null,
    });
    this.#term = term;
    this.pid = term.pid;
    term.onData((data) => events.onData(data));
    term.on('close', () => {
      this.#open = false;
      events.onReleased();
    });
    term.onExit(() => events.onExit());
    closeOnExec(term.fd);
    makeRaw(term.fd);
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
