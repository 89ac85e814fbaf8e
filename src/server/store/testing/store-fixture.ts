import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskChange } from '../changes.js';
import { openSqliteStore } from '../sqlite/open-sqlite-store.js';
import type { RunDetail, Store, TaskMeta } from '../store.js';

/** A store on a file of its own. */
export class StoreFixture implements AsyncDisposable {
  readonly path: string;
  store: Store;
  readonly #folder: string;

  private constructor(folder: string, path: string, store: Store) {
    this.#folder = folder;
    this.path = path;
    this.store = store;
  }

  static async open(firstId?: number): Promise<StoreFixture> {
    const folder = mkdtempSync(join(tmpdir(), 'ibex-store-'));
    const path = join(folder, 'data', 'ibex.db');
    return new StoreFixture(folder, path, await openSqliteStore({ path, firstId }));
  }

  async reopen(firstId?: number): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    this.store = await openSqliteStore({ path: this.path, firstId });
  }

  /** Creates a task: hosts given a clock are running. Returns its id. */
  async create(hosts: Readonly<Record<string, number | undefined>>, changes: Partial<TaskMeta> = {}): Promise<number> {
    const id = await this.store.nextTaskId();
    await this.store.commit([createOf({ ...metaOf(id), ...changes }, hosts)]);
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

export function metaOf(id: number): TaskMeta {
  return {
    id,
    title: 'disk full FH: a',
    account: 'root',
    batch: 2,
    tolerance: 1,
    timeout: 30,
    pause: 'b',
    script: '#!/bin/sh\r\necho "夜莺 🔥"\u0000',
    args: 'x,,y',
    stdin: 'in',
    creator: 'me',
    created: new Date('2026-01-02T03:04:05.000Z'),
  };
}

export function createOf(meta: TaskMeta, hosts: Readonly<Record<string, number | undefined>>): TaskChange {
  return {
    kind: 'create-task',
    meta,
    action: 'start',
    scheduler: '127.0.0.1:20090',
    hosts: Object.entries(hosts).map(([host, startClock]) => ({ host, startClock })),
  };
}

export function detailOf(taskId: number, host: string, clock: number, changes: Partial<RunDetail> = {}): RunDetail {
  return {
    taskId,
    host,
    clock,
    exitCode: 3,
    signal: null,
    reason: null,
    startedMs: 1_000,
    endedMs: 2_000,
    stdoutBytes: 70_000,
    stderrBytes: 1,
    stdoutTruncated: true,
    stderrTruncated: false,
    late: false,
    ...changes,
  };
}
