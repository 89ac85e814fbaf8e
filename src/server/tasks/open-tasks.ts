import type { Log } from '../../shared/log.js';
import type { RunId } from '../../shared/run-key.js';
import type { AgentGateway } from './agent-gateway.js';
import type { Answer, Context, TaskEvent } from '../core/events.js';
import type { Step } from '../core/task-draft.js';
import { isActive } from '../../shared/task-states.js';
import type { HostEntry, TaskState } from '../core/task-state.js';
import type { StaleHosts } from '../peers/snapshot-diff.js';
import type { TrackedTasks } from '../peers/tracked-tasks.js';
import type { Snapshot, TaskMeta } from '../core/records.js';
import { StoreError, UnreadableTaskError, type Store } from '../store/store.js';
import { AgentOrders } from './agent-orders.js';
import type { ChangeListeners } from './change-listeners.js';
import { forEachBounded } from './for-each-bounded.js';
import { RunsByHost } from './run-index.js';
import type { CopyRules } from './task-copy.js';
import { TaskMailbox, type MailboxHost } from './task-mailbox.js';
import { UnreadTasks } from './unread-tasks.js';
import { WakeQueue } from './wake-queue.js';

/** How long after a failed commit a task is looked at again, ms; a task that gets an event before is looked at then. */
const RETRY_MS = 1_000;
/** The same for one that makes no sense. */
const UNREADABLE_RETRY_MS = 10_000;
/** Tasks that are read at the same time. */
const READ_AT_ONCE = 8;

export interface OpenTasksOptions {
  readonly store: Store;
  readonly gateway: AgentGateway;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly copyRules: CopyRules;
  readonly listeners: ChangeListeners;
  /** called with each task whose change other servers are to hear of */
  readonly publish: (taskId: number) => void;
}

interface OpenTask {
  readonly mailbox: TaskMailbox;
  readonly orders: AgentOrders;
}

/**
 * The open tasks of this server: their mailboxes, their deadlines, and what follows from each of their commits. Those
 * that it schedules are all here; of others' tasks those with a run on a host whose agent is connected here.
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

  readonly unreconciled = new Set<string>();
  foreignSchedulerAlive = false;
  #peerRuns = new RunsByHost();
  #ownedByPeers = new Set<number>();

  async load(taskIds: readonly number[], doings: Snapshot['activeRuns']): Promise<void> {
    const doingsOf = Map.groupBy(doings, ({ taskId }) => taskId);
    for (const taskId of taskIds)
      this.#unread.add(
        taskId,
        (doingsOf.get(taskId) ?? []).map(({ host }) => host),
      );
    await forEachBounded(taskIds, READ_AT_ONCE, (taskId) => this.#mailbox(taskId).settle());
  }

  setOwnedByPeers(taskIds: Iterable<number>): void {
    this.#ownedByPeers = new Set(taskIds);
  }

  addOwnedByPeers(taskIds: Iterable<number>): void {
    for (const taskId of taskIds) this.#ownedByPeers.add(taskId);
  }

  /** As set last. */
  get peerRuns(): RunsByHost {
    return this.#peerRuns;
  }

  setPeerRuns(runs: Iterable<RunId & { readonly host: string }>): void {
    this.#peerRuns = new RunsByHost();
    for (const { host, taskId, clock } of runs) this.#peerRuns.set(host, { taskId, clock });
  }

  async refresh(looks: StaleHosts): Promise<ReadonlySet<number>> {
    const failed = new Set<number>();
    await forEachBounded(looks, READ_AT_ONCE, async ([taskId, hosts]) => {
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
    return this.#ownedByPeers.has(taskId);
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
    return !this.unreconciled.has(host) && !this.#unread.concern(host);
  }

  meta(taskId: number): TaskMeta | undefined {
    return this.#tasks.get(taskId)?.mailbox.meta;
  }

  /** As last committed, or as last read; undefined if the task is not in memory. Not all hosts, unless it is `mine`. */
  state(taskId: number): TaskState | undefined {
    return this.#tasks.get(taskId)?.mailbox.state;
  }

  owns(taskId: number): boolean {
    return this.#tasks.get(taskId)?.mailbox.owned ?? false;
  }

  waits(taskId: number): boolean {
    return (this.state(taskId)?.counts.waiting ?? 0) > 0;
  }

  knows(taskId: number, host: string): boolean {
    return this.state(taskId)?.index.has(host) ?? false;
  }

  /** True if the host's agent was not told of its start yet. */
  isQueued(taskId: number, host: string): boolean {
    return this.#tasks.get(taskId)?.orders.isQueued(host) ?? false;
  }

  ids(): readonly number[] {
    return [...this.#tasks.keys()];
  }

  /** Refuses what comes now, and waits until what came before is durable and answered. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    this.#wakes[Symbol.dispose]();
    for (const { mailbox } of this.#tasks.values()) {
      if (mailbox.state) await mailbox.settle();
      mailbox[Symbol.dispose]();
    }
    this.#tasks.clear();
  }

  context(taskId: number, mine: boolean): Context {
    const { gateway, nowMs, copyRules } = this.#options;
    return {
      nowMs: nowMs(),
      scheduler: mine ? copyRules.scheduler : undefined,
      shared: this.shared,
      reach: {
        foreignSchedulerMayReach: (host) => this.foreignSchedulerAlive && !gateway.present(host),
        connected: (host) => gateway.connected(host),
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
    if (this.#options.listeners.wanted(taskId)) {
      for (const { host, status, startClock } of step.touched) {
        this.#options.listeners.tell(taskId, { host, status, clock: startClock });
      }
    }
    if (step.changes.some(({ kind }) => kind === 'end-task'))
      this.#options.log.info({ task: taskId, ...shown(step.state) }, 'task ended');
  }

  failed(mailbox: TaskMailbox, error: Error): void {
    const { log, nowMs } = this.#options;
    const { taskId } = mailbox;
    const unreadable = error instanceof UnreadableTaskError;
    if (!unreadable) log.error({ task: taskId, error: error.message, cause: String(error.cause) }, 'task not stored');
    else if (this.#unread.complains(taskId, nowMs())) {
      log.error(
        { task: taskId, error: error.message },
        'task cannot be read; nothing is done of it until it is mended',
      );
    }
    if (!this.#stopping) this.#wakes.set(taskId, nowMs() + (unreadable ? UNREADABLE_RETRY_MS : RETRY_MS));
  }

  /** Whoever schedules a task wakes for its deadlines. */
  #wakeFor({ taskId, owned: mine }: TaskMailbox, state: TaskState | undefined): void {
    if (!this.#stopping) this.#wakes.set(taskId, (mine && state?.wakeAtMs) || Number.POSITIVE_INFINITY);
  }

  /** The server that schedules the task, or one with the session of a host that this one does not reach. */
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
    const lookAgain = (hosts: readonly string[]): void => {
      if (hosts.length > 0) void this.#refresh(taskId, hosts);
    };
    return new AgentOrders(taskId, { gateway, nowMs, shared: this.shared, refresh: lookAgain });
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

/** How many hosts ended how, without the statuses that none has. */
function shown(state: TaskState): Record<string, number> {
  return Object.fromEntries(Object.entries(state.counts).filter(([, count]) => count > 0));
}
