import { MAX_FRAME_BYTES, MAX_TIMEOUT_SECONDS } from '../../shared/protocol/limits.js';
import type { TaskMeta } from '../core/records.js';
import { UnreadableTaskError } from './store.js';

/** Left in a frame for all but script and stdin. */
const FRAME_REST_BYTES = 64 * 1_024;
/** Bytes of JSON text that one UTF-16 unit becomes at most. */
const MOST_ESCAPED = 6;

/**
 * Throws UnreadableTaskError for a task that breaks the protocol with the agents; the API makes none. To send it all
 * the same would end the agent's session, again and again.
 */
export function checkAssignable({ id, account, script, stdin, timeout }: TaskMeta): void {
  const refuse = (what: string): never => {
    throw new UnreadableTaskError(`task ${id} can be given to no agent: its ${what}`);
  };
  if (account === '') refuse('account is empty');
  if (script === '') refuse('script is empty');
  if (timeout > MAX_TIMEOUT_SECONDS) refuse(`timeout is longer than ${MAX_TIMEOUT_SECONDS} s`);
  const most = MAX_FRAME_BYTES - FRAME_REST_BYTES;
  const longest = (script.length + stdin.length) * MOST_ESCAPED;
  if (longest > most && Buffer.byteLength(JSON.stringify(script + stdin)) > most) {
    refuse('script and stdin are longer than a frame');
  }
}
