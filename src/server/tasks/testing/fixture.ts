import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssignFrame, ResultFrame } from '../../../shared/protocol/agent-frames.js';
import type { Log } from '../../../shared/log.js';
import type { RunId } from '../../../shared/run-key.js';
import { EMPTY_REPORT } from '../../../shared/run-report.js';
import type { AgentGateway } from '../agent-gateway.js';
import { openSqliteStore } from '../../store/sqlite/open-sqlite-store.js';
import type { Store } from '../../store/store.js';
import { createTaskService, type RunningTaskService } from '../create-task-service.js';
import type { HostState, NewTask } from '../task-service.js';

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/**
 * Stands in for the agents' sessions: what scheduling sends is written down instead of sent. The sessions' own tests
 * run over real sockets; here the question is what is sent, when, and how often.
 */
export class RecordingGateway implements AgentGateway {
  readonly online = new Set<string>();
  readonly held = new Set<string>();
  readonly assigns: { hosts: readonly string[]; frame: AssignFrame }[] = [];
  readonly kills: { host: string; run: RunId }[] = [];

  assign(hosts: readonly string[], frame: AssignFrame): void {
    this.assigns.push({ hosts, frame });
  }

  kill(host: string, run: RunId): boolean {
    if (!this.online.has(host)) return false;
    this.kills.push({ host, run });
    return true;
  }

  connected(host: string): boolean {
    return this.online.has(host);
  }

  present(host: string): boolean {
    return this.online.has(host);
  }

  beatMs(): number {
    return 0;
  }

  holdsRun(host: string, run: RunId): boolean {
    return this.held.has(`${host} ${run.taskId} ${run.clock}`);
  }

  /** The clock that a host was last assigned. */
  clockOf(host: string): number {
    const last = this.assigns.findLast(({ hosts }) => hosts.includes(host));
    if (!last) throw new Error(`${host} was never assigned anything`);
    return last.frame.clock;
  }
}

export class Fixture implements AsyncDisposable {
  readonly gateway: RecordingGateway;
  readonly #folder: string;
  store: Store;
  service: RunningTaskService;

  private constructor(folder: string, store: Store, service: RunningTaskService, gateway: RecordingGateway) {
    this.#folder = folder;
    this.store = store;
    this.service = service;
    this.gateway = gateway;
  }

  static async open(): Promise<Fixture> {
    const folder = mkdtempSync(join(tmpdir(), 'ibex-tasks-'));
    const store = await openSqliteStore({ path: join(folder, 'ibex.db') });
    const gateway = new RecordingGateway();
    return new Fixture(folder, store, await serviceOn(store, gateway), gateway);
  }

  /** As after a restart of the server: nothing is left but the file. */
  async restart(reconnectMs?: number, nowMs?: () => number): Promise<void> {
    await this.service[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
    this.store = await openSqliteStore({ path: join(this.#folder, 'ibex.db') });
    this.service = await serviceOn(this.store, this.gateway, reconnectMs, nowMs);
  }

  async statuses(taskId: number): Promise<Record<string, string>> {
    return Object.fromEntries((await this.store.hosts(taskId)).map(({ host, status }) => [host, status]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

function serviceOn(
  store: Store,
  gateway: RecordingGateway,
  reconnectMs?: number,
  nowMs = Date.now,
): Promise<RunningTaskService> {
  return createTaskService({
    store,
    gateway,
    log: silent,
    clock: { nowMs },
    schedulerName: '127.0.0.1:20090',
    reconnectMs,
  });
}

export function newTask(changes: Partial<NewTask> = {}): NewTask {
  return {
    title: 'disk full FH: a',
    account: 'root',
    batch: 0,
    tolerance: 0,
    timeout: 30,
    pause: '',
    script: 'echo hi\r\n',
    args: '',
    stdin: '',
    creator: 'test',
    action: 'start',
    hosts: ['a'],
    ...changes,
  };
}

export function result(taskId: number, clock: number, changes: Partial<ResultFrame> = {}): ResultFrame {
  return {
    t: 'result',
    taskId,
    clock,
    status: 'success',
    ...EMPTY_REPORT,
    exitCode: 0,
    startedMs: 1_000,
    endedMs: 2_000,
    stdoutBytes: 3,
    stdout: Buffer.from('hi\n'),
    stderr: Buffer.from(''),
    ...changes,
  };
}

export function changeOf(
  service: RunningTaskService,
  taskId: number,
  wanted: (host: HostState) => boolean,
): Promise<HostState> {
  return new Promise((resolve) => {
    const stop = service.onChange(taskId, (host) => {
      if (!wanted(host)) return;
      stop();
      resolve(host);
    });
  });
}
