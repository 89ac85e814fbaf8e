import type { Log } from '../../shared/log.js';
import type { ResultFrame, AgentRun } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';
import type { HostAction, TaskAction } from '../../shared/task-states.js';
import type { AgentEvents, AgentGateway, OpenRun, PulledWork, SettledRun } from './agent-gateway.js';
import type { Answer, StoredOutput, TaskEvent } from '../core/events.js';
import { FINISHED } from '../core/reduce.js';
import { actionInForce, type ActionInForce } from '../core/action-in-force.js';
import type { Step } from '../core/task-draft.js';
import type { TaskState } from '../core/task-state.js';
import { Reconciler } from '../peers/reconciler.js';
import { PeerView } from '../peers/peer-view.js';
import { Heartbeat } from '../peers/heartbeat.js';
import { NO_NOTIFIER, type Notifier } from '../peers/notifier.js';
import type { TaskMeta } from '../core/records.js';
import type { Store } from '../store/store.js';
import { AgentReports } from './agent-reports.js';
import { ClosedTasks } from './closed-tasks.js';
import { OpenTasks } from './open-tasks.js';
import { openRuns, settledRun } from './pulled-runs.js';
import { TaskCreator } from './task-creator.js';
import {
  hostState,
  type ActionOutcome,
  type CreatedTask,
  type HostState,
  type NewTask,
  type TaskService,
} from './task-service.js';
import { TaskWatchers } from './task-watchers.js';

export interface TaskServiceOptions {
  readonly store: Store;
  /** not called before this function has returned its promise */
  readonly gateway: AgentGateway;
  readonly log: Log;
  readonly clock: { readonly nowMs: () => number };
  /** name of this server in the tables: IP:port, stable over restarts */
  readonly schedulerName: string;
  /** false: tasks are stored, and what peers schedule is dispatched, but nothing is scheduled here */
  readonly schedules?: boolean | undefined;
  /** how often memory and database are compared, ms */
  readonly reconcileIntervalMs?: number | undefined;
  readonly notifier?: Notifier | undefined;
  /** how long after its assignment a run may still start, ms; the task's timeout by default, and at most */
  readonly startWithinMs?: number | undefined;
  /** how long an identical task with stdin is taken for the same alarm, ms; 0, the default, is off */
  readonly duplicateWindowMs?: number | undefined;
  /**
   * How long after its start the server waits for agents to come back before it judges any run by its silence, ms:
   * what they finished while it was away must count, even if its deadline has passed meanwhile.
   */
  readonly reconnectMs?: number | undefined;
}

const RECONNECT_MS = 20_000;
const RECONCILE_INTERVAL_MS = 1_000;

/**
 * All faces of scheduling: to the API, to sessions, and to agents that ask for work. Dispose of it before the store.
 */
export interface RunningTaskService extends TaskService, AgentEvents, PulledWork, AsyncDisposable {
  /** An agent of any kind has connected: what peers have for it is looked up. */
  agentConnected(host: string): void;
}

/** Reads the open tasks and goes on with them. Rejects with StoreError if the store can't be read. */
export async function createTaskService(options: TaskServiceOptions): Promise<RunningTaskService> {
  const service = new StoredTaskService(options);
  try {
    await service.start();
  } catch (error) {
    await service[Symbol.asyncDispose]();
    throw error;
  }
  return service;
}

class StoredTaskService implements RunningTaskService {
  readonly #nowMs: () => number;
  readonly #gateway: Pick<AgentGateway, 'beatMs'>;
  readonly #watchers: TaskWatchers;
  readonly #open: OpenTasks;
  readonly #closed: ClosedTasks;
  readonly #reports: AgentReports;
  readonly #creator: TaskCreator;
  readonly #reconciler: Reconciler;
  readonly #heartbeat: Heartbeat;
  readonly #notifier: Notifier;
  readonly #schedules: boolean;
  readonly #shared: boolean;

  constructor(options: TaskServiceOptions) {
    const { store, gateway, log, clock, reconnectMs = RECONNECT_MS, notifier = NO_NOTIFIER } = options;
    const { startWithinMs = Number.POSITIVE_INFINITY, duplicateWindowMs = 0 } = options;
    const { schedulerName, schedules = true } = options;
    this.#nowMs = clock.nowMs;
    this.#gateway = gateway;
    this.#schedules = schedules;
    this.#shared = store.shared;
    this.#notifier = notifier;
    const peers = new PeerView(schedulerName, (host) => gateway.present(host));
    this.#closed = new ClosedTasks(store, clock.nowMs);
    this.#watchers = new TaskWatchers({
      owns: (taskId) => this.#open.owns(taskId),
      read: (taskId) => this.#closed.read(taskId),
      log,
    });
    this.#open = new OpenTasks({
      store,
      gateway,
      log,
      nowMs: clock.nowMs,
      copyRules: { startWithinMs, reconnectMs, scheduler: schedules ? schedulerName : undefined },
      peers,
      watchers: this.#watchers,
      publish: (taskId) => notifier.publish(taskId),
    });
    this.#reports = new AgentReports({ open: this.#open, closed: this.#closed, peers, gateway, log });
    this.#creator = new TaskCreator({
      store,
      log,
      nowMs: clock.nowMs,
      startWithinMs,
      duplicateWindowMs,
      context: (taskId) => this.#open.context(taskId, schedules),
      created: (meta, step) => this.#created(meta, step),
    });
    this.#reconciler = new Reconciler({
      store,
      tasks: this.#open,
      peers,
      agents: gateway,
      name: schedulerName,
      schedules,
      refreshed: () => this.#watchers.refresh(),
      intervalMs: options.reconcileIntervalMs ?? RECONCILE_INTERVAL_MS,
      nowMs: clock.nowMs,
      log,
    });
    this.#heartbeat = new Heartbeat(store.schedulers, schedulerName, log);
    notifier.subscribe((taskIds) => this.#reconciler.refresh(taskIds));
  }

  async start(): Promise<void> {
    if (this.#shared) await this.#heartbeat.start();
    await this.#reconciler.start();
  }

  async create(task: NewTask, signal?: AbortSignal): Promise<CreatedTask> {
    this.#open.refuseIfStopping();
    return this.#creator.create(task, signal);
  }

  act(taskId: number, action: TaskAction): Promise<ActionOutcome> {
    return this.#act(taskId, { kind: 'task-action', action });
  }

  actOnHost(taskId: number, host: string, action: HostAction): Promise<ActionOutcome> {
    return this.#act(taskId, { kind: 'host-action', host, action });
  }

  async states(taskId: number): Promise<readonly HostState[] | undefined> {
    const state = this.#ownState(taskId);
    return state ? state.hosts.map((entry) => hostState(entry, state.rules)) : (await this.#closed.read(taskId))?.hosts;
  }

  onChange(taskId: number, listener: (host: HostState) => void): () => void {
    return this.#watchers.onHost(taskId, listener);
  }

  async action(taskId: number): Promise<ActionInForce | undefined> {
    const state = this.#ownState(taskId);
    if (state?.ended) return undefined;
    const action = state ? actionInForce(state) : (await this.#closed.read(taskId))?.action;
    if (action) this.#watchers.tellAction(taskId, action);
    return action;
  }

  onAction(taskId: number, listener: (action: ActionInForce) => void): () => void {
    return this.#watchers.onAction(taskId, listener);
  }

  agentListed(host: string, runs: readonly AgentRun[], newStore: boolean): void {
    this.#reports.agentListed(host, runs, newStore);
  }

  agentConnected(host: string): void {
    this.#reconciler.agentConnected(host);
  }

  runStarted(host: string, run: RunId, startedMs: number): void {
    this.#reports.runStarted(host, run, startedMs);
  }

  runEnded(host: string, result: ResultFrame): Promise<'stored' | 'unknown'> {
    return this.#reports.runEnded(host, result);
  }

  expectedRuns(host: string): readonly RunId[] {
    return this.#reports.expectedRuns(host);
  }

  openRuns(host: string): readonly OpenRun[] | undefined {
    return openRuns(this.#open, host, this.#gateway.beatMs(host));
  }

  async runDispatched(host: string, { taskId, clock }: RunId): Promise<void> {
    await this.#open.post(taskId, { kind: 'started', host, clock, startedMs: this.#nowMs() });
  }

  async runLost(host: string, { taskId, clock }: RunId, output: StoredOutput): Promise<void> {
    await this.#open.post(taskId, { kind: 'lost', host, clock, output });
  }

  settledRun(host: string, run: RunId): Promise<SettledRun | undefined> {
    return settledRun(this.#open.store, this.#closed, host, run);
  }

  async taskExists(taskId: number): Promise<boolean> {
    return this.#open.has(taskId) || (await this.#closed.exists(taskId));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reconciler[Symbol.asyncDispose]();
    await this.#open[Symbol.asyncDispose]();
    await this.#heartbeat[Symbol.asyncDispose]();
  }

  #ownState(taskId: number): TaskState | undefined {
    return this.#open.owns(taskId) ? this.#open.state(taskId) : undefined;
  }

  #created(meta: TaskMeta, step: Step): void {
    if (this.#schedules) this.#open.adopt(meta, step);
    else this.#notifier.publish(meta.id);
  }

  async #act(taskId: number, event: TaskEvent): Promise<ActionOutcome> {
    const answer: Answer | undefined = await this.#open.post(taskId, event);
    if (answer === undefined) return (await this.#closed.exists(taskId)) ? FINISHED : { outcome: 'not-found' };
    if (answer.outcome === 'stored' || answer.outcome === 'unknown') throw new Error(`not an action: ${event.kind}`);
    return answer;
  }
}
