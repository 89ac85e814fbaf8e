import { setTimeout as wait } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { AgentQueries } from './agent-queries.js';
import { ChangeStatements } from './change-statements.js';
import type { TaskChange } from '../core/changes.js';
import { openCluster } from './cluster-row.js';
import type { StoreDialect } from './dialect.js';
import type { SqlEngine } from './engine.js';
import { GroupCommit, IdempotencyKeyTakenError, type GroupLimits } from './group-commit.js';
import { IdempotencyKeys } from './idempotency-keys.js';
import type { Tables } from './schema/tables.js';
import {
  DuplicateTaskError,
  StoreError,
  TaskIdTakenError,
  type AgentRecord,
  type ClusterIdentity,
  type ServerRecord,
  type SessionRecord,
  type Store,
  type TaskListFilter,
} from './store.js';
import { SessionQueries } from './session-queries.js';
import { SqlSchedulers } from './sql-schedulers.js';
import { readActiveRunsOf, readSnapshot } from './snapshot-query.js';
import { TaskIds } from './task-ids.js';
import { TaskList } from './task-list.js';
import { TaskQueries } from './task-queries.js';
import { makeWrites } from './writes.js';

const PING_MS = 3_000;
/** How often a commit is tried whose idempotency key was taken, and is free when its holder is looked for. */
const KEY_ATTEMPTS = 3;

export interface SqlStoreParts {
  /** Taken over: disposing of the store disposes of it. */
  readonly engine: SqlEngine;
  /** only compiles queries */
  readonly db: Kysely<Tables>;
  readonly dialect: StoreDialect;
  readonly firstId: number | undefined;
  readonly limits?: GroupLimits;
}

/** The store over any engine whose tables are up to date. */
export class SqlStore implements Store {
  readonly cluster: ClusterIdentity;
  readonly schedulers: SqlSchedulers;
  readonly shared: boolean;
  readonly outOfProcess: boolean;
  readonly #parts: SqlStoreParts;
  readonly #commits: GroupCommit;
  readonly #changes: ChangeStatements;
  readonly #ids: TaskIds;
  readonly #idempotencyKeys: IdempotencyKeys;
  readonly #tasks: TaskQueries;
  readonly #list: TaskList;
  readonly #agents: AgentQueries;
  readonly #sessions: SessionQueries;
  #disposed: Promise<void> | undefined;

  static async open(parts: SqlStoreParts): Promise<SqlStore> {
    return new SqlStore(parts, await openCluster(parts.engine, parts.db));
  }

  private constructor(parts: SqlStoreParts, cluster: ClusterIdentity) {
    const { engine, db, dialect, firstId, limits } = parts;
    this.cluster = cluster;
    this.#parts = parts;
    this.#commits = new GroupCommit(engine, limits);
    this.shared = dialect.shared;
    this.outOfProcess = engine.outOfProcess;
    this.schedulers = new SqlSchedulers(engine, db, dialect.nowSeconds, this.#commits);
    const writes = makeWrites(dialect.writes);
    this.#changes = new ChangeStatements(writes, dialect);
    this.#ids = new TaskIds(engine, db, dialect, firstId);
    this.#idempotencyKeys = new IdempotencyKeys(engine, db, dialect, this.#commits);
    this.#tasks = new TaskQueries(engine, db);
    this.#list = new TaskList(engine, db, dialect);
    this.#sessions = new SessionQueries(engine, db, dialect.nowMs, this.#commits, writes);
    this.#agents = new AgentQueries(engine, db, this.#commits, writes);
  }

  nextTaskId(): Promise<number> {
    return this.#ids.next();
  }

  async commit(changes: readonly TaskChange[], signal?: AbortSignal): Promise<void> {
    const statements = changes.flatMap((change) => this.#changes.of(change));
    for (let attempt = 0; attempt < KEY_ATTEMPTS; attempt++) {
      try {
        await this.#commits.run(statements, signal);
        return;
      } catch (error) {
        if (error instanceof TaskIdTakenError) {
          for (const change of changes) if (change.kind === 'create-task') this.#ids.leaveBlock(change.meta.id);
        }
        if (!(error instanceof IdempotencyKeyTakenError)) throw error;
        const holder = await this.#idempotencyKeys.holder(changes);
        if (holder) throw new DuplicateTaskError(holder.taskId, holder.bodyDigest);
      }
    }
    throw new StoreError(
      'the task could not be created: its idempotency key is taken and given back at the same moments',
    );
  }

  meta(taskId: number) {
    return this.#tasks.meta(taskId);
  }

  action(taskId: number) {
    return this.#tasks.action(taskId);
  }

  hosts(taskId: number) {
    return this.#tasks.hosts(taskId);
  }

  outputs(taskId: number, host?: string) {
    return this.#tasks.outputs(taskId, host);
  }

  runDetails(taskId: number, hosts?: readonly string[]) {
    return this.#tasks.runDetails(taskId, hosts);
  }

  lastRun(taskId: number, host: string) {
    return this.#tasks.lastRun(taskId, host);
  }

  listTasks(filter: TaskListFilter) {
    return this.#list.find(filter);
  }

  openAmong(taskIds: readonly number[]) {
    return this.#list.openAmong(taskIds);
  }

  openTask(taskId: number, hosts?: readonly string[]) {
    return this.#tasks.openTask(taskId, hosts);
  }

  async snapshot(taskIds?: readonly number[]) {
    return readSnapshot(this.#parts.engine, this.#parts.db, taskIds);
  }

  activeRunsOf(hosts?: readonly string[]) {
    return readActiveRunsOf(this.#parts.engine, this.#parts.db, hosts);
  }

  agents() {
    return this.#agents.all();
  }

  agent(host: string) {
    return this.#agents.one(host);
  }

  saveAgent(record: AgentRecord) {
    return this.#agents.save(record);
  }

  pinAgent(record: AgentRecord) {
    return this.#agents.pin(record);
  }

  forgetAgent(host: string) {
    return this.#agents.forget(host);
  }

  removeAgents(hosts: readonly string[], seenUntilMs: number) {
    return this.#agents.remove(hosts, seenUntilMs);
  }

  markServer(server: ServerRecord) {
    return this.#sessions.mark(server);
  }

  serverMarks() {
    return this.#sessions.marks();
  }

  retireServer(instance: string) {
    return this.#sessions.retire(instance);
  }

  removeServer(instance: string) {
    return this.#sessions.remove(instance);
  }

  saveSessions(instance: string, sessions: readonly Omit<SessionRecord, 'instance'>[]) {
    return this.#sessions.saveSessions(instance, sessions);
  }

  removeSessions(instance: string, hosts: readonly string[]) {
    return this.#sessions.removeSessions(instance, hosts);
  }

  sessions(instances: readonly string[]) {
    return this.#sessions.sessions(instances);
  }

  sessionsOf(hosts: readonly string[], instances: readonly string[]) {
    return this.#sessions.sessionsOf(hosts, instances);
  }

  async ping(): Promise<void> {
    const late = new AbortController();
    const answered = this.#parts.engine.query(sql`select 1`.compile(this.#parts.db));
    const tooLate = wait(PING_MS, undefined, { signal: late.signal, ref: false }).then(() => {
      throw new StoreError('the database does not answer');
    });
    try {
      await Promise.race([answered, tooLate]);
    } finally {
      late.abort();
      // Whichever came second is nobody's concern any more.
      await Promise.allSettled([tooLate]);
      answered.catch(() => undefined);
    }
  }

  /** Finishes what was asked for, then closes the database. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#idempotencyKeys[Symbol.dispose]();
    await this.#commits[Symbol.asyncDispose]();
    try {
      await this.#ids[Symbol.asyncDispose]();
    } finally {
      await this.#parts.engine[Symbol.asyncDispose]();
    }
  }
}
