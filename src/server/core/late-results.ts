import { isFinal, STATUS_RULES } from '../../shared/task-states.js';
import type { TaskChange } from './changes.js';
import type { ResultEvent } from './events.js';
import type { LastRun } from './records.js';
import { reportDetail } from './run-details.js';

/** What is known of the newest start of a host, in memory or in the tables. */
export interface KnownRun extends LastRun {
  /** of a kill, if any: where another server has put it over the start, only the agent may know the start's own clock */
  readonly lastClock?: number;
}

/** What a result does to its host. */
export type ResultEffect =
  /** nothing, as no such start is known here */
  | 'unknown'
  /** the host ends with the result's status */
  | 'ends'
  /** the host's status stands; output and details are added that were missing */
  | 'completes'
  /** the start was superseded; its details are kept, its output is not */
  | 'supersedes'
  /** nothing, as all of it is stored */
  | 'repeats';

/**
 * The one rule for results, of open and of finished tasks: the first final status of a start stands, what comes after
 * it adds what was missing, and coming twice changes nothing.
 */
export function resultEffect(run: KnownRun | undefined, clock: number): ResultEffect {
  if (!run || clock > newestClock(run)) return 'unknown';
  if (clock < run.startClock) return 'supersedes';
  if (!isFinal(run.status)) return 'ends';
  return run.reported ? 'repeats' : 'completes';
}

function newestClock({ status, startClock, lastClock = 0 }: KnownRun): number {
  return STATUS_RULES[status].phase === 'killing' ? Math.max(startClock, lastClock) : startClock;
}

/** The change that such a result makes. */
export function lateOutput(
  taskId: number,
  { host, clock, output, report }: Pick<ResultEvent, 'host' | 'clock' | 'output' | 'report'>,
  effect: 'completes' | 'supersedes',
): TaskChange {
  const detail = reportDetail(host, { taskId, clock }, report, true);
  return { kind: 'late-output', taskId, host, output: effect === 'completes' ? output : undefined, detail };
}

/** True where a host was settled as killed and no agent has confirmed it: should the script still run, it must end. */
export function killUnconfirmed({ status, reported }: Pick<KnownRun, 'status' | 'reported'>): boolean {
  return STATUS_RULES[status].killWanted && !reported;
}
