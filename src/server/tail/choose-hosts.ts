import { ProtocolError } from '../../shared/errors.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import type { HostState } from '../tasks/task-service.js';

/**
 * The hosts of a task that a viewer wants to see, in the task's order; none named: all of them. A name that fits none
 * exactly may differ in letter case. Throws ProtocolError (notFound) naming a host that is not in the task.
 */
export function chooseHosts(
  all: readonly HostState[],
  wanted: readonly string[],
  taskId: number,
): readonly HostState[] {
  if (wanted.length === 0) return all;
  const exact = new Set(all.map(({ host }) => host));
  const folded = new Map(all.map(({ host }) => [host.toLowerCase(), host]));
  const chosen = new Set(
    wanted.map((name) => {
      const host = exact.has(name) ? name : folded.get(name.toLowerCase());
      if (host === undefined) throw new ProtocolError(CloseCode.notFound, `task ${taskId} has no host ${name}`);
      return host;
    }),
  );
  return all.filter(({ host }) => chosen.has(host));
}
