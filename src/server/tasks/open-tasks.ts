import type { Log } from '../../shared/log.js';
import type { AgentGateway } from './agent-gateway.js';
import type { Answer, Context, TaskEvent } from '../core/events.js';
import { actionInForce } from '../core/action-in-force.js';
import type { Step } from '../core/task-draft.js';
import { describeError } from '../../shared/errors.js';
import { isActive } from '../../shared/task-states.js';
import type { HostEntry, TaskState } from '../core/task-state.js';
import type { StaleHosts } from '../peers/snapshot-diff.js';
import type { TrackedTasks } from '../peers/reconciler.js';
import type { PeerView } from '../peers/peer-view.js';
import type { Snapshot, TaskMeta } from '../core/records.js';
import { StoreError, UnreadableTaskError, type Store } from '../store/store.js';
import { AgentOrders } from './agent-orders.js';
import type { TaskWatchers } from './task-watchers.js';
import { RunsByHost } from '../core/runs-by-host.js';
import type { CopyRules } from './task-copy.js';
import { TaskMailbox, type MailboxHost } from './task-mailbox.js';
import { UnreadTasks } from './unread-tasks.js';
import { WakeQueue } from './wake-queue.js';

/** How long after a failed commit a task is tried again, ms, unless an event tries it sooner. */
const RETRY_MS = 1_000;
/** The same for one that makes no sense. */
const UNREADABLE_RETRY_MS = 10_000;
/** Between two lines in the log about such a task, ms. */
const UNREADABLE_LOG_MS = 60_000;
/** Tasks that are read at the same time. */
const READ_AT_ONCE = 8;

export interface OpenTasksOptions {
  readonly store: Store;
  readonly gateway: AgentGateway;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly copyRules: CopyRules;
  readonly peers: Pick<PeerView, 'ownsTask' | 'isReconciled' | 'foreignSchedulerMayReach'>;
  readonly watchers: Pick<TaskWatchers, 'committed'>;
  /** called with each task whose change other servers are to hear of */
  readonly publish: (taskId: number) => void;
}

interface OpenTask {
  readonly mailbox: TaskMailbox;
  readonly orders: AgentOrders;
}

/**
 * The registry of open tasks: their mailboxes, their deadlines, and what follows from each of their commits. It holds
 * all tasks that this server schedules, and of others' tasks those with a run on a host whose agent is connected here.
 */
export class OpenTasks implements MailboxHost, TrackedTasks, AsyncDisposable {
  readonly store: Store;
  readonly copyRules: CopyRules;
  /** runs that scheduling has under way, by host */
  readonly runs = new RunsByHost();
  readonly #options: OpenTasksOptions;
  readonly #tasks = new Map<number, OpenTask>();
  readonly #wakes: WakeQueue;
  /** tasks whose hosts are not in `runs` since the start */
  readonly #unread = new UnreadTasks();
  #stopping = false;

  constructor(options: OpenTasksOptions) {
    this.store = options.store;
    this.copyRules = options.copyRules;
    this.#options = options;
    this.#wakes = new WakeQueue(options.nowMs, (taskId) => this.#wake(taskId));
  }

  async load(taskIds: readonly number[], activeRuns: Snapshot['activeRuns']): Promise<void> {
    const runsOf = Map.groupBy(activeRuns, ({ taskId }) => taskId);
    for (const taskId of taskIds)
      this.#unread.add(
        taskId,
        (runsOf.get(taskId) ?? []).map(({ host }) => host),
      );
    await forEachBounded(taskIds, READ_AT_ONCE, (taskId) => this.#mailbox(taskId).settle());
  }

  async refresh(stale: StaleHosts): Promise<ReadonlySet<number>> {
    const failed = new Set<number>();
    await forEachBounded(stale, READ_AT_ONCE, async ([taskId, hosts]) => {
      if (!(await this.#refresh(taskId, hosts))) failed.add(taskId);
    });
    return failed;
  }

  /** False where that failed; it is tried again then. */
  async #refresh(taskId: number, hosts: readonly string[] | 'all'): Promise<boolean> {
    if (this.#stopping) return false;
    return await this.#mailbox(taskId)
      .post({ kind: 'refresh', hosts })
      .then(() => true)
      // Logged by `failed`.
      .catch(() => false);
  }

  get shared(): boolean {
    return this.store.shared;
  }

  ownedByPeer(taskId: number): boolean {
    return this.#options.peers.ownsTask(taskId);
  }

  /** Takes in a task that was just created, and sends its first assignments. */
  adopt(meta: TaskMeta, step: Step): void {
    const mailbox = new TaskMailbox(meta.id, this, { meta, state: step.state });
    this.#tasks.set(meta.id, { mailbox, orders: this.#orders(meta.id) });
    this.committed(mailbox, step, step.state.rules.createdMs);
    if (step.state.ended) this.idle(mailbox);
  }

  /** Resolves after the commit, with undefined if there is no such open task. Rejects with StoreError. */
  async post(taskId: number, event: TaskEvent): Promise<Answer | undefined> {
    this.refuseIfStopping();
    return this.#mailbox(taskId).post(event);
  }

  /** Throws StoreError once disposing has begun. */
  refuseIfStopping(): void {
    if (this.#stopping) throw new StoreError('the server is stopping');
  }

  postLazily(taskId: number, event: TaskEvent): void {
    if (!this.#stopping) this.#tasks.get(taskId)?.mailbox.postLazily(event);
  }

  has(taskId: number): boolean {
    return this.#tasks.has(taskId);
  }

  /** True if `runs` holds all runs of this host. */
  complete(host: string): boolean {
    return this.#options.peers.isReconciled(host) && !this.#unread.concerns(host);
  }

  meta(taskId: number): TaskMeta | undefined {
    return this.#tasks.get(taskId)?.mailbox.meta;
  }

  /** As last committed, or as last read; undefined if the task is not in memory. Not all hosts, unless this server owns it. */
  state(taskId: number): TaskState | undefined {
    return this.#tasks.get(taskId)?.mailbox.state;
  }

  owns(taskId: number): boolean {
    return this.#tasks.get(taskId)?.mailbox.owned ?? false;
  }

  /** True if the host's agent was not sent its start yet. */
  isQueued(taskId: number, host: string): boolean {
    return this.#tasks.get(taskId)?.orders.isQueued(host) ?? false;
  }

  ids(): readonly number[] {
    return [...this.#tasks.keys()];
  }

  /** Refuses new events, and waits until those posted before are durable and answered. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    this.#wakes[Symbol.dispose]();
    for (const { mailbox } of this.#tasks.values()) {
      if (mailbox.state) await mailbox.settle();
      mailbox[Symbol.dispose]();
    }
    this.#tasks.clear();
  }

  context(taskId: number, owned: boolean): Context {
    const { gateway, peers, nowMs, copyRules } = this.#options;
    return {
      nowMs: nowMs(),
      scheduler: owned ? copyRules.scheduler : undefined,
      shared: this.shared,
      reach: {
        foreignSchedulerMayReach: (host) => peers.foreignSchedulerMayReach(host),
        connected: (host) => gateway.connected(host),
        beatMs: (host) => gateway.beatMs(host),
        holds: (host, clock) => gateway.holdsRun(host, { taskId, clock }),
      },
    };
  }

  loaded(mailbox: TaskMailbox, hosts: readonly HostEntry[]): void {
    this.#unread.delete(mailbox.taskId);
    for (const entry of hosts) this.#index(mailbox.taskId, entry);
    this.#wakeFor(mailbox, mailbox.state);
  }

  committed(mailbox: TaskMailbox, step: Step, decidedMs: number): void {
    const { taskId } = mailbox;
    for (const entry of step.touched) this.#index(taskId, entry);
    this.#tasks.get(taskId)?.orders.send(mailbox.meta, step, decidedMs);
    this.#wakeFor(mailbox, step.state);
    if (this.shared && this.#concernsOthers(mailbox, step)) this.#options.publish(taskId);
    this.#options.watchers.committed(step, mailbox.owned);
    this.#log(taskId, step);
  }

  #log(taskId: number, { state, changes }: Step): void {
    const { log } = this.#options;
    if (changes.some(({ kind }) => kind === 'end-task')) log.info({ task: taskId, ...shown(state) }, 'task ended');
    else if (state.action === 'pause' && changes.some(({ kind }) => kind === 'task-action')) {
      const { cause, failed, tolerance } = actionInForce(state);
      log.info(
        { task: taskId, cause, failed, tolerance },
        'task paused; a host that waits is not started before a start',
      );
    }
  }

  failed(mailbox: TaskMailbox, error: Error): void {
    const { log, nowMs } = this.#options;
    const { taskId } = mailbox;
    const unreadable = error instanceof UnreadableTaskError;
    if (!unreadable) log.error({ task: taskId, err: describeError(error) }, 'task not stored');
    else if (nowMs() - this.#unread.loggedMs(taskId) >= UNREADABLE_LOG_MS) {
      this.#unread.noteLogged(taskId, nowMs());
      log.error({ task: taskId, err: error.message }, 'task cannot be read; nothing is done of it until it is mended');
    }
    if (!this.#stopping) this.#wakes.set(taskId, nowMs() + (unreadable ? UNREADABLE_RETRY_MS : RETRY_MS));
  }

  /** Only the owner of a task keeps its deadlines. */
  #wakeFor({ taskId, owned }: TaskMailbox, state: TaskState | undefined): void {
    if (!this.#stopping) this.#wakes.set(taskId, (owned && state?.wakeAtMs) || Number.POSITIVE_INFINITY);
  }

  /** True if the owner of the task has to know, or a peer with the session of a host that has none here. */
  #concernsOthers(mailbox: TaskMailbox, step: Step): boolean {
    if (!mailbox.owned) return step.changes.length > 0;
    return step.touched.some((entry) => isActive(entry.status) && !this.#options.gateway.present(entry.host));
  }

  idle(mailbox: TaskMailbox): void {
    this.#unread.delete(mailbox.taskId);
    mailbox[Symbol.dispose]();
    for (const host of mailbox.activeHosts) this.runs.delete(host, mailbox.taskId);
    this.#wakes.set(mailbox.taskId, Number.POSITIVE_INFINITY);
    this.#tasks.delete(mailbox.taskId);
  }

  #mailbox(taskId: number): TaskMailbox {
    let task = this.#tasks.get(taskId);
    if (!task) {
      task = { mailbox: new TaskMailbox(taskId, this), orders: this.#orders(taskId) };
      this.#tasks.set(taskId, task);
    }
    return task.mailbox;
  }

  #orders(taskId: number): AgentOrders {
    const { gateway, nowMs } = this.#options;
    const refresh = (hosts: readonly string[]): void => {
      if (hosts.length > 0) void this.#refresh(taskId, hosts);
    };
    return new AgentOrders(taskId, { gateway, nowMs, shared: this.shared, refresh });
  }

  #wake(taskId: number): void {
    // A failure is logged by `failed`, which also asks for the next wake.
    this.#mailbox(taskId)
      .post({ kind: 'wake' })
      .catch(() => undefined);
  }

  #index(taskId: number, entry: HostEntry): void {
    if (isActive(entry.status)) this.runs.set(entry.host, { taskId, clock: entry.startClock });
    else this.runs.delete(entry.host, taskId);
  }
}

/** Does the work for each item, in their order, for at most `atOnce` of them at the same time. Rejects if any does. */
async function forEachBounded<T>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const next = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let one = next.next(); one.done !== true; one = next.next()) await work(one.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** How many hosts ended how, without the statuses that none has. */
function shown(state: TaskState): Record<string, number> {
  return Object.fromEntries(Object.entries(state.counts).filter(([, count]) => count > 0));
}
