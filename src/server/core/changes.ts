import type { RunId } from '../../shared/run-key.js';
import type { FinalStatus, HostStatus, TaskAction } from '../../shared/task-states.js';
import type { RunDetail, TaskMeta } from './records.js';

/** Makes a request count once: another one under the same key, before it expires, is answered with the first task. */
export interface IdempotencyKey {
  /** 64 hex digits */
  readonly key: string;
  /** from the commit, by the database's clock */
  readonly ttlMs: number;
  /** 64 hex digits of the request's body, which a repeated request must have, too; null: the key says it all */
  readonly bodyDigest: string | null;
}

/** The closed set of changes that scheduling makes; a commit is a list of them, carried out in order. */
export type TaskChange =
  | {
      readonly kind: 'create-task';
      readonly meta: TaskMeta;
      readonly action: TaskAction;
      /** unix seconds */
      readonly actionClock: number;
      /** '' leaves the task to the server that takes it over first */
      readonly scheduler: string;
      /** in the order given; those with a start clock are running, with a task_host_doing row; the rest wait */
      readonly hosts: readonly { readonly host: string; readonly startClock: number | undefined }[];
      /** held under these keys no other task is created while they last */
      readonly idempotencyKeys?: readonly IdempotencyKey[] | undefined;
    }
  /** waiting (or final, for a redo) -> running, with a doing row; outputs emptied */
  | {
      readonly kind: 'start-host';
      readonly taskId: number;
      readonly host: string;
      readonly from: HostStatus;
      readonly clock: number;
    }
  /**
   * running/timeout -> killing, doing row's action becomes kill under its own clock; the start's clock is kept beside
   */
  | {
      readonly kind: 'kill-host';
      readonly taskId: number;
      readonly host: string;
      readonly from: HostStatus;
      readonly startClock: number;
      readonly clock: number;
    }
  /** any status -> a final one, doing row gone; outputs stored if given */
  | {
      readonly kind: 'end-host';
      readonly taskId: number;
      readonly host: string;
      readonly from: HostStatus;
      readonly to: FinalStatus;
      readonly output: { readonly stdout: string; readonly stderr: string } | undefined;
      readonly detail: RunDetail | undefined;
    }
  /** a true result of a host whose status had been settled, or of a start before its newest (no output): details */
  | {
      readonly kind: 'late-output';
      readonly taskId: number;
      readonly host: string;
      readonly output: { readonly stdout: string; readonly stderr: string } | undefined;
      readonly detail: RunDetail;
    }
  /** the agent reported when the script began */
  | {
      readonly kind: 'host-started';
      readonly taskId: number;
      readonly host: string;
      readonly run: RunId;
      readonly startedMs: number;
    }
  /** an agent is about to get a start of this commit */
  | { readonly kind: 'note-dispatch'; readonly taskId: number; readonly host: string; readonly clock: number }
  /** an agent is about to get this start, made before and maybe by another server; fails unless it is still wanted */
  | { readonly kind: 'dispatch-stored'; readonly host: string; readonly run: RunId; readonly taskId: number }
  /** fails unless this start is wanted and no server has given it to an agent, and none can until the commit */
  | { readonly kind: 'not-dispatched'; readonly taskId: number; readonly host: string; readonly clock: number }
  /** a task_host_doing row that was left behind is removed */
  | { readonly kind: 'drop-stray'; readonly taskId: number; readonly host: string; readonly clock: number }
  | { readonly kind: 'task-action'; readonly taskId: number; readonly action: TaskAction; readonly clock: number }
  /** a server that does not own the task changes it: the owner is to read it again. Fails if the task has ended */
  | { readonly kind: 'touch-task'; readonly taskId: number; readonly clock: number }
  /** fails unless this scheduler has the task, and this action is in force since then */
  | ({ readonly kind: 'as-scheduler'; readonly taskId: number } & Tenure)
  /** task_action and task_scheduler rows gone: the task is done. Fails as above, and while any host has a doing row */
  | ({ readonly kind: 'end-task'; readonly taskId: number } & Tenure);

/** The facts on which the owner of a task relies. */
export interface Tenure {
  readonly scheduler: string;
  readonly action: TaskAction;
  /** unix seconds */
  readonly actionClock: number;
}
