import type { Snapshot } from '../core/records.js';
import type { Store } from '../store/store.js';
import type { StaleHosts } from './snapshot-diff.js';

/** The server processes of our kind that live on the database, by their names. */
export type Peers = ReadonlyMap<string, string>;

export interface ReachContext {
  readonly store: Pick<Store, 'sessionsOf'>;
  readonly peers: Peers;
  readonly tasks: Snapshot['tasks'];
  /** this server has nothing of the host's run in memory, and its agent would get it at once */
  readonly mayLeave: (taskId: number, host: string) => boolean;
}

/** Without new starts on hosts that the server which schedules their task reaches by itself. */
export async function withoutReached(
  looks: StaleHosts,
  { store, peers, tasks, mayLeave }: ReachContext,
): Promise<StaleHosts> {
  const hosts = [...looks].flatMap(([taskId, of]) => (of === 'all' ? [] : of.filter((host) => mayLeave(taskId, host))));
  if (hosts.length === 0) return looks;
  const sessions = await store.sessionsOf([...new Set(hosts)], [...peers.values()]);
  const reached = new Set(sessions.map(({ instance, host }) => `${instance} ${host}`));
  const schedulers = new Map(tasks.map(({ taskId, scheduler }) => [taskId, scheduler ?? '']));
  const left = new Map<number, readonly string[] | 'all'>();
  for (const [taskId, of] of looks) {
    const owner = peers.get(schedulers.get(taskId) ?? '');
    const rest = of === 'all' ? of : of.filter((host) => !mayLeave(taskId, host) || !reached.has(`${owner} ${host}`));
    if (rest === 'all' || rest.length > 0) left.set(taskId, rest);
  }
  return left;
}
