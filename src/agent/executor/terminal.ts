import { chownSync } from 'node:fs';
import pty from 'node-pty';
import { closeOnExec } from './libc.js';

export interface TerminalEvents {
  onData(data: Uint8Array): void;
  /** nobody holds the terminal any more: nothing will be written to it */
  onReleased(): void;
  /** the launcher is gone */
  onExit(): void;
}

/**
 * Starts a program on a terminal of its own and returns its pid. Nothing is ever sent to it through node-pty: its
 * kill() and destroy() signal a pid that may belong to another process by then.
 */
export function openTerminal(
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  ownerUid: number,
  events: TerminalEvents,
): number {
  const [file, ...args] = argv;
  const term = pty.spawn(file, args, { name: 'dumb', cols: 200, rows: 50, cwd: '/', env: { ...env }, encoding: null });
  closeOnExec(term.fd);
  if (ownerUid !== process.getuid?.()) chownSync(term.ptsName, ownerUid, -1);
  term.onData((data) => events.onData(data));
  term.on('close', () => events.onReleased());
  term.onExit(() => events.onExit());
  return term.pid;
}
