import type { RunId } from '../../shared/run-key.js';
import type { RunReport } from '../../shared/run-report.js';
import type { HostStatus, TaskAction } from '../../shared/task-states.js';

/** A task as created; never changed afterwards. */
export interface TaskMeta {
  readonly id: number;
  readonly title: string;
  readonly account: string;
  /** hosts running at once; 0 = all */
  readonly batch: number;
  readonly tolerance: number;
  /** seconds */
  readonly timeout: number;
  /** comma-separated hosts after whose start the task pauses */
  readonly pause: string;
  readonly script: string;
  /** arguments of the script, separated by `,,` */
  readonly args: string;
  readonly stdin: string;
  /** whether its scripts have a terminal; undefined: as each agent's policy says */
  readonly terminal?: boolean | undefined;
  readonly creator: string;
  readonly created: Date;
}

export interface HostRow {
  readonly host: string;
  readonly status: HostStatus;
}

export interface HostOutput extends HostRow {
  readonly stdout: string;
  readonly stderr: string;
}

/** What is known of a run besides the original tables. */
export interface RunDetail extends RunId, Omit<RunReport, 'endedMs'> {
  readonly host: string;
  /** null where the agent's own report is not here */
  readonly endedMs: number | null;
  /** the result came after its status had been settled otherwise */
  readonly late: boolean;
}

/** A task with everything scheduling needs, read to resume it. */
export interface OpenTask {
  readonly meta: TaskMeta;
  readonly action: TaskAction;
  /** unix seconds: when the action was set, or the task was last changed by a server that does not schedule it */
  readonly actionClock: number;
  /** who schedules it; '' is nobody, undefined where the rows do not say one name */
  readonly scheduler: string | undefined;
  /** in the order given at creation; only those asked for */
  readonly hosts: readonly (HostRow & {
    /** clock and action of its task_host_doing row, if it has one and its run is under way */
    readonly activeRun: { readonly clock: number; readonly action: 'start' | 'kill' } | undefined;
    /** clock of its newest start, 0 if never started */
    readonly startClock: number;
    /** ms, of the newest start, if the agent reported it */
    readonly startedMs: number | null;
    /** the true result of the newest start is stored */
    readonly reported: boolean;
    /** clock of a task_host_doing row that was left behind by someone, though the host's run is over */
    readonly strayClock: number | undefined;
    /** an agent may have the newest start: a server has noted that it sends it, or that it was begun or is killed */
    readonly dispatched: boolean;
  })[];
}

/** What the database says of the open tasks at one moment, whoever wrote it. */
export interface Snapshot {
  readonly tasks: readonly {
    readonly taskId: number;
    /** as stored, which need not be one that this program knows */
    readonly action: string;
    readonly actionClock: number;
    /** '' is nobody, undefined where the rows do not say one name */
    readonly scheduler: string | undefined;
  }[];
  /** runs under way: a start's own clock, or that of its kill */
  readonly activeRuns: readonly {
    readonly taskId: number;
    readonly host: string;
    readonly clock: number;
    readonly action: string;
  }[];
}

/** The newest start of one host of any task, open or done. */
export interface LastRun {
  readonly status: HostStatus;
  /** 0 if never started */
  readonly startClock: number;
  /** its true result is stored */
  readonly reported: boolean;
}
