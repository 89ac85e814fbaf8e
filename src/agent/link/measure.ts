import { performance } from 'node:perf_hooks';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { dial } from './dial.js';
import type { Measured } from './address-choice.js';
import type { RunIndex } from './run-index.js';
import type { AgentSelf } from './session.js';

/**
 * How long a server takes to prove itself to this agent, from the first packet: the way there and back, several times,
 * and how busy it is. The session ends there, before the server has to ask its database. Undefined if nothing comes in
 * time.
 */
export function measure(url: URL, self: AgentSelf, index: RunIndex, withinMs: number): Promise<Measured['answer']> {
  const began = performance.now();
  return new Promise((resolve) => {
    const session = dial(url, self, index, {
      onProved: ({ server }) => {
        resolve({ ms: performance.now() - began, instance: server });
        return false;
      },
      onReady: () => undefined,
      onFrame: () => undefined,
      onEnded: () => {
        clearTimeout(patience);
        resolve(undefined);
      },
    });
    const patience = setTimeout(() => session.close(CloseCode.normal, 'too slow'), withinMs);
  });
}
