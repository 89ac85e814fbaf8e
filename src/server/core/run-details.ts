import type { RunId } from '../../shared/run-key.js';
import { EMPTY_REPORT, type RunReport } from '../../shared/run-report.js';
import type { ActiveStatus, FinalStatus, RunReason } from '../../shared/task-states.js';
import type { RunDetail } from './records.js';
import type { HostEntry } from './task-state.js';

/** How a host ends whose agent never said how its run ended. */
export const ASSUMED_END = Object.freeze({
  running: { silent: 'timeout', lost: 'failed' },
  killing: { silent: 'killfailed', lost: 'killfailed' },
} as const satisfies Record<ActiveStatus, { readonly silent: FinalStatus; readonly lost: FinalStatus }>);

/** What is kept of a run by its agent's own word. */
export function reportDetail(host: string, run: RunId, report: RunReport, late: boolean): RunDetail {
  return { ...run, host, ...report, late };
}

/** What is kept of a run that the server has settled by itself. */
export function settledDetail(entry: HostEntry, run: RunId, reason: RunReason | null): RunDetail {
  return { ...run, host: entry.host, ...EMPTY_REPORT, reason, startedMs: entry.startedMs, endedMs: null, late: false };
}
