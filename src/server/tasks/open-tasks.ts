import type { Log } from '../../shared/log.js';
import type { AgentGateway } from '../agents/gateway.js';
import type { Answer, Context, Effect, TaskEvent } from '../core/events.js';
import { startDeadlineMs } from '../core/deadlines.js';
import type { ResumeLimits } from '../core/resume-task.js';
import type { Step } from '../core/task-draft.js';
import { hostEntry, isActive, type HostEntry, type TaskState } from '../core/task-state.js';
import { StoreError, type Store, type TaskMeta } from '../store/store.js';
import { AssignFrames } from './assign-frames.js';
import type { ChangeListeners } from './change-listeners.js';
import { RunIndex } from './run-index.js';
import { TaskMailbox, type MailboxHost } from './task-mailbox.js';
import { WakeQueue } from './wake-queue.js';

/** How long after a failed commit a task is looked at again, ms; a task that gets an event before is looked at then. */
const RETRY_MS = 1_000;

export interface OpenTasksOptions {
  readonly store: Store;
  readonly gateway: AgentGateway;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly limits: ResumeLimits;
  readonly listeners: ChangeListeners;
}

interface OpenTask {
  readonly mailbox: TaskMailbox;
  frames: AssignFrames | undefined;
}

/** The open tasks of this server: their mailboxes, their deadlines, and what follows from each of their commits. */
export class OpenTasks implements MailboxHost, AsyncDisposable {
  readonly store: Store;
  readonly limits: ResumeLimits;
  /** runs that scheduling has under way, by host */
  readonly runs = new RunIndex();
  readonly #options: OpenTasksOptions;
  readonly #tasks = new Map<number, OpenTask>();
  readonly #wakes: WakeQueue;
  /** open tasks that could not be read since the start: their hosts are not in `runs` */
  readonly #neverRead = new Set<number>();
  #stopping = false;

  constructor(options: OpenTasksOptions) {
    this.store = options.store;
    this.limits = options.limits;
    this.#options = options;
    this.#wakes = new WakeQueue(options.nowMs, (taskId) => this.#wake(taskId));
  }

  /** Reads every open task and takes its scheduling up again. */
  async load(): Promise<void> {
    const taskIds = await this.store.openTaskIds();
    for (const taskId of taskIds) this.#neverRead.add(taskId);
    for (const taskId of taskIds) await this.#mailbox(taskId).settle();
  }

  /** Takes in a task that was just created, and sends its first assignments. */
  adopt(meta: TaskMeta, step: Step): void {
    const mailbox = new TaskMailbox(meta.id, this, { meta, state: step.state });
    this.#tasks.set(meta.id, { mailbox, frames: undefined });
    this.committed(mailbox, step);
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

  /** True once `runs` holds the runs of every open task. */
  get complete(): boolean {
    return this.#neverRead.size === 0;
  }

  meta(taskId: number): TaskMeta | undefined {
    return this.#tasks.get(taskId)?.mailbox.meta;
  }

  /** As last committed; undefined if the task is not in memory. */
  state(taskId: number): TaskState | undefined {
    return this.#tasks.get(taskId)?.mailbox.state;
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

  context(taskId: number): Context {
    const { gateway, nowMs } = this.#options;
    return {
      nowMs: nowMs(),
      reach: {
        connected: (host) => gateway.connected(host),
        holds: (host, clock) => gateway.holdsRun(host, { taskId, clock }),
      },
    };
  }

  loaded(mailbox: TaskMailbox, state: TaskState): void {
    this.#neverRead.delete(mailbox.taskId);
    for (const entry of state.hosts) this.#index(mailbox.taskId, entry);
    this.#wakes.set(mailbox.taskId, state.wakeAtMs);
  }

  committed(mailbox: TaskMailbox, step: Step): void {
    const { taskId } = mailbox;
    for (const entry of step.touched) this.#index(taskId, entry);
    this.#send(mailbox, step.state, step.effects);
    if (!this.#stopping) this.#wakes.set(taskId, step.state.wakeAtMs);
    if (this.#options.listeners.wanted(taskId)) {
      for (const { host, status, startClock } of step.touched) {
        this.#options.listeners.tell(taskId, { host, status, clock: startClock });
      }
    }
    if (step.state.ended) this.#options.log.info({ task: taskId, ...shown(step.state) }, 'task ended');
  }

  failed(mailbox: TaskMailbox, error: Error): void {
    this.#options.log.error(
      { task: mailbox.taskId, error: error.message, cause: String(error.cause) },
      'task not stored',
    );
    if (!this.#stopping) this.#wakes.set(mailbox.taskId, this.#options.nowMs() + RETRY_MS);
  }

  idle(mailbox: TaskMailbox): void {
    this.#neverRead.delete(mailbox.taskId);
    mailbox[Symbol.dispose]();
    this.#wakes.set(mailbox.taskId, Number.POSITIVE_INFINITY);
    this.#tasks.delete(mailbox.taskId);
  }

  #mailbox(taskId: number): TaskMailbox {
    let task = this.#tasks.get(taskId);
    if (!task) this.#tasks.set(taskId, (task = { mailbox: new TaskMailbox(taskId, this), frames: undefined }));
    return task.mailbox;
  }

  #wake(taskId: number): void {
    // A failure is logged by `failed`, which also asks for the next wake.
    this.#mailbox(taskId)
      .post({ kind: 'wake' })
      .catch(() => undefined);
  }

  #index(taskId: number, entry: HostEntry): void {
    if (isActive(entry)) this.runs.set(entry.host, { taskId, clock: entry.startClock });
    else this.runs.delete(entry.host, taskId);
  }

  #send(mailbox: TaskMailbox, state: TaskState, effects: readonly Effect[]): void {
    const { gateway, nowMs } = this.#options;
    const frames = effects.length > 0 ? this.#frames(mailbox) : undefined;
    // Assignments of one moment and clock go out as one frame to all their hosts.
    const together = new Map<string, { hosts: string[]; clock: number; untilMs: number }>();
    for (const { kind, host, clock } of effects) {
      const entry = hostEntry(state, host);
      if (kind === 'kill' || !entry) {
        gateway.kill(host, { taskId: mailbox.taskId, clock });
        continue;
      }
      const untilMs = startDeadlineMs(entry, state.rules);
      const key = `${clock} ${untilMs}`;
      const group = together.get(key);
      if (group) group.hosts.push(host);
      else together.set(key, { hosts: [host], clock, untilMs });
    }
    for (const { hosts, clock, untilMs } of together.values()) {
      if (frames) gateway.assign(hosts, frames.frame(clock, untilMs - nowMs()));
    }
  }

  #frames(mailbox: TaskMailbox): AssignFrames | undefined {
    const task = this.#tasks.get(mailbox.taskId);
    if (!task || !mailbox.meta) return undefined;
    task.frames ??= new AssignFrames(mailbox.meta);
    return task.frames;
  }
}

/** How many hosts ended how, without the statuses that none has. */
function shown(state: TaskState): Record<string, number> {
  return Object.fromEntries(Object.entries(state.counts).filter(([, count]) => count > 0));
}
