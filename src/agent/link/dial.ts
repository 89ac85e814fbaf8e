import { performance } from 'node:perf_hooks';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { AGENT_PATH, OPENING_TIMEOUT_MS } from '../../shared/protocol/limits.js';
import { ClientSocket } from './client-socket.js';
import type { RunIndex } from './run-index.js';
import { Session, type AgentSelf, type SessionEvents } from './session.js';

export interface DialEvents extends SessionEvents {
  /** Once, and last. 0: there was no connection, or it broke. */
  onEnded(session: Session, code: number, reason: string): void;
}

/**
 * Opens a session with the server at an address and keeps its time: a heartbeat each interval, 10 s for the opening,
 * three intervals for silence. It goes on until it ends, or is closed.
 */
export function dial(url: URL, self: AgentSelf, index: RunIndex, events: DialEvents): Session {
  const socket = new ClientSocket(new URL(AGENT_PATH, url), {
    onOpen: () => session.open(),
    onText: (text) => session.receive(text, performance.now()),
    onBinary: () => session.close(CloseCode.badFrame, 'a server sends no binary frames'),
    onEnded: (code, reason) => {
      clearInterval(beats);
      clearTimeout(overdue);
      clearTimeout(patience);
      session.close(CloseCode.normal, '');
      events.onEnded(session, code, reason);
    },
  });
  const session = new Session(self, index, socket, events, performance.now());
  let overdue: NodeJS.Timeout | undefined;
  const beats = setInterval(() => {
    session.beat(performance.now());
    clearTimeout(overdue);
    const leftMs = session.patienceLeftMs(performance.now());
    if (leftMs < self.intervalMs) overdue = setTimeout(() => session.checkSilence(performance.now()), leftMs);
  }, self.intervalMs);
  const patience = setTimeout(() => {
    if (!session.ready) session.close(CloseCode.silent, 'the server did not finish the opening');
  }, OPENING_TIMEOUT_MS);
  return session;
}
