import type { Snapshot } from '../core/records.js';
import type { Store } from '../store/store.js';
import type { PeerView } from './peer-view.js';
import type { StaleHosts } from './snapshot-diff.js';

export interface ReachContext {
  readonly store: Pick<Store, 'sessionsOf'>;
  readonly peers: Pick<PeerView, 'servers' | 'isReconciled'>;
  /** this server owns the task, or has a run of it on the host in memory */
  readonly tracks: (taskId: number, host: string) => boolean;
  /** the host's agent is sent its work here */
  readonly connected: (host: string) => boolean;
}

/** Without new starts on hosts that the server which owns their task reaches by itself. Rejects with StoreError. */
export async function withoutReached(
  stale: StaleHosts,
  { tasks, activeRuns }: Snapshot,
  { store, peers, tracks, connected }: ReachContext,
): Promise<StaleHosts> {
  const starts = new Set(activeRuns.flatMap((run) => (run.action === 'start' ? `${run.taskId} ${run.host}` : [])));
  const mayLeave = (taskId: number, host: string): boolean =>
    !tracks(taskId, host) &&
    // An agent that asks for its work must be told all of it, and of one that has just connected others may not know.
    connected(host) &&
    peers.isReconciled(host) &&
    starts.has(`${taskId} ${host}`);
  const hosts = [...stale].flatMap(([taskId, of]) => (of === 'all' ? [] : of.filter((host) => mayLeave(taskId, host))));
  if (hosts.length === 0) return stale;
  const sessions = await store.sessionsOf([...new Set(hosts)], [...peers.servers.values()]);
  const reached = new Set(sessions.map(({ instance, host }) => `${instance} ${host}`));
  const schedulers = new Map(tasks.map(({ taskId, scheduler }) => [taskId, scheduler ?? '']));
  const left = new Map<number, readonly string[] | 'all'>();
  for (const [taskId, of] of stale) {
    const owner = peers.servers.get(schedulers.get(taskId) ?? '');
    const rest = of === 'all' ? of : of.filter((host) => !mayLeave(taskId, host) || !reached.has(`${owner} ${host}`));
    if (rest === 'all' || rest.length > 0) left.set(taskId, rest);
  }
  return left;
}
