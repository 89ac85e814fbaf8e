import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';
import type { Random } from './random.ts';

const KINDS = { link: 32, executor: 27, both: 12, server: 15, sockets: 9, disk: 5, database: 8 } as const;
type Kind = keyof typeof KINDS;

/** What was done to the fleet. */
export interface Damage {
  readonly counts: Record<Kind, number>;
  /** hosts whose executor was killed at least once */
  readonly executorless: Set<string>;
  diskFilled: boolean;
}

export function noDamage(): Damage {
  const counts = { link: 0, executor: 0, both: 0, server: 0, sockets: 0, disk: 0, database: 0 };
  return { counts, executorless: new Set(), diskFilled: false };
}

/** Kills, cuts and fills, one thing after the other, until it is told to stop; everything killed is started again. */
export async function disturb(
  fleet: Fleet,
  damage: Damage,
  random: Random,
  everyMs: number,
  stop: AbortSignal,
): Promise<void> {
  const returns: Promise<void>[] = [];
  while (!stop.aborted) {
    await sleep(random.whole(everyMs / 2, (everyMs * 3) / 2));
    const kind = random.weighted(KINDS);
    const host = random.one(fleet.hosts);
    const awayMs = random.fraction() < 0.5 ? random.whole(0, 60) : random.whole(0, 1_500);
    if (await strike(fleet, kind, host, awayMs, damage, returns)) damage.counts[kind]++;
  }
  await Promise.all(returns);
  fleet.disk?.free();
}

/** False if there was nothing to strike. */
async function strike(
  fleet: Fleet,
  kind: Kind,
  host: string,
  awayMs: number,
  damage: Damage,
  returns: Promise<void>[],
): Promise<boolean> {
  const later = (what: () => void): void => void returns.push(sleep(awayMs).then(what));
  switch (kind) {
    case 'link':
      await fleet.killLink(host);
      later(() => fleet.startAgent(host));
      return true;
    case 'executor':
      damage.executorless.add(host);
      return fleet.killExecutor(host);
    case 'both': {
      damage.executorless.add(host);
      const killed = fleet.killExecutor(host);
      await fleet.killLink(host);
      later(() => fleet.startAgent(host));
      return killed;
    }
    case 'server':
      if (!(await fleet.killServer())) return false;
      later(() => fleet.startServer());
      return true;
    case 'sockets':
      fleet.cutConnections();
      return true;
    case 'disk':
      if (!fleet.disk) return false;
      damage.diskFilled = true;
      fleet.disk.fill();
      later(() => fleet.disk?.free());
      return true;
    case 'database': {
      const database = fleet.database.process;
      if (!database) return false;
      await database.kill();
      await sleep(awayMs);
      await database.begin();
      return true;
    }
    default:
      return kind satisfies never;
  }
}

/** Those of the counts that are kills of processes. */
export function killCycles({ counts }: Damage): number {
  return counts.link + counts.executor + counts.both + counts.server + counts.database;
}
