import type { Identity } from '../../shared/protocol/opening.js';
import type { HostOutput, HostRow, LastRun, OpenTask, RunDetail, Snapshot, TaskMeta } from '../core/records.js';
import type { TaskChange } from '../core/changes.js';

/** An agent's identity as pinned by Host. */
export interface AgentRecord {
  readonly host: string;
  /** Ed25519 public key, base64url; '' where the Host is known but its key was forgotten */
  readonly key: string;
  readonly storeId: string;
  readonly bootId: string;
  readonly version: string;
  readonly kind: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

/** A server process on this database. */
export interface ServerRecord {
  readonly instance: string;
  /** IP:port of its agents' port, the same after a restart */
  readonly name: string;
  readonly version: string;
}

export interface ServerMark extends ServerRecord {
  /** by the database's clock */
  readonly seenMsAgo: number;
}

/** An agent's session with a server process. */
export interface SessionRecord {
  readonly instance: string;
  readonly host: string;
  readonly address: string;
  readonly sinceMs: number;
}

/** Tells which server schedules each task of this database, by the database's clock. */
export interface Schedulers {
  /** ms since each scheduler last said that it lives, to a whole second */
  silence(): Promise<ReadonlyMap<string, number>>;
  /** This scheduler lives. */
  beat(scheduler: string): Promise<void>;
  /** This scheduler stops: the others may take its tasks at once. */
  retire(scheduler: string): Promise<void>;
  /** Gives those of the tasks that `from` has to `to`. Resolves with how many. */
  take(taskIds: readonly number[], from: string, to: string): Promise<number>;
  /** Gives an open task whose rows do not say one scheduler to `to`. */
  adopt(taskId: number, to: string): Promise<void>;
}

export interface TaskListFilter {
  readonly creator: string;
  /** words that must occur in the title; those with a leading - must not */
  readonly words: readonly string[];
  /** created after this moment, unix ms; undefined: no limit */
  readonly sinceMs: number | undefined;
  /** 0: no limit */
  readonly limit: number;
  readonly offset: number;
}

export interface ClusterIdentity {
  /** random id of this database, 32 hex digits */
  readonly id: string;
  readonly identity: Identity;
}

/**
 * The database, behind one face for SQLite and MySQL. Every method rejects with StoreError when the database can't
 * answer; nothing of the database's own text is in its message.
 */
export interface Store extends AsyncDisposable {
  readonly cluster: ClusterIdentity;
  readonly schedulers: Schedulers;
  /** Other programs may write into this database. */
  readonly shared: boolean;
  /** Another process makes the commits, so that this one has time for something else meanwhile. */
  readonly outOfProcess: boolean;

  /** An id never given before, in rising order. */
  nextTaskId(): Promise<number>;
  /**
   * Makes the changes durable, all of them or none, and then resolves. Calls made while one commit runs share the next.
   * Rejects with StaleStateError where a row no longer is what a change relies on, with NotWantedError where the signal
   * is aborted before the transaction is committed, with RefusedError where the database can't hold it, with TaskIdTakenError where someone else has used the id of a new task,
   * and with DuplicateTaskError where one of its idempotency keys is taken.
   */
  commit(changes: readonly TaskChange[], signal?: AbortSignal): Promise<void>;

  meta(taskId: number): Promise<TaskMeta | undefined>;
  /** The action in force, or undefined once the task is done (or unknown). */
  action(taskId: number): Promise<string | undefined>;
  /** In the order given at creation. */
  hosts(taskId: number): Promise<HostRow[]>;
  /** In the order given at creation; one host only where `host` is given (letter case does not matter). */
  outputs(taskId: number, host?: string): Promise<HostOutput[]>;
  /** Every known start of every host, or of those given (a thousand at most), in rising order of clocks. */
  runDetails(taskId: number, hosts?: readonly string[]): Promise<RunDetail[]>;
  /** Undefined: no such host in such a task. Byte for byte, unlike `outputs`. */
  lastRun(taskId: number, host: string): Promise<LastRun | undefined>;
  listTasks(
    filter: TaskListFilter,
  ): Promise<{ readonly total: number; readonly list: readonly (TaskMeta & { done: boolean })[] }>;
  /** Of these ids, those whose task is not finished. */
  openAmong(taskIds: readonly number[]): Promise<Set<number>>;

  /** All hosts, or only these, where the task has them. */
  openTask(taskId: number, hosts?: readonly string[]): Promise<OpenTask | undefined>;
  /** Of all open tasks, or only of these. */
  snapshot(taskIds?: readonly number[]): Promise<Snapshot>;
  /** The active runs on all hosts, or on these. */
  activeRunsOf(hosts?: readonly string[]): Promise<Snapshot['activeRuns']>;

  agents(): Promise<AgentRecord[]>;
  agent(host: string): Promise<AgentRecord | undefined>;
  /** Inserts, or updates all but firstSeenMs and the key. */
  saveAgent(record: AgentRecord): Promise<void>;
  /**
   * Inserts, or fills in the key where there is none. Resolves with what is there then: another server may be first.
   */
  pinAgent(record: AgentRecord): Promise<AgentRecord>;
  /** Forgets the key of a Host; false if it had none. */
  forgetAgent(host: string): Promise<boolean>;
  /** Removes those of these Hosts that have no key, no session with any server, and were not seen after this moment. */
  removeAgents(hosts: readonly string[], seenUntilMs: number): Promise<void>;
  /** A sign of life of a server. Resolves with true where it is the first one, or those before were removed. */
  markServer(server: ServerRecord): Promise<boolean>;
  /** Every server that has left a mark, dead ones too until they are removed. */
  serverMarks(): Promise<ServerMark[]>;
  /** Called by a server that stops: it was seen for the last time. */
  retireServer(instance: string): Promise<void>;
  /** Its sessions must have been removed before. */
  removeServer(instance: string): Promise<void>;
  /** Inserts, or updates. */
  saveSessions(instance: string, sessions: readonly Omit<SessionRecord, 'instance'>[]): Promise<void>;
  removeSessions(instance: string, hosts: readonly string[]): Promise<void>;
  sessions(instances: readonly string[]): Promise<SessionRecord[]>;
  /** Which of these server processes have a session with which of these hosts. */
  sessionsOf(
    hosts: readonly string[],
    instances: readonly string[],
  ): Promise<readonly Pick<SessionRecord, 'host' | 'instance'>[]>;

  /** Cheap round trip that fails when the database does not answer; it takes 3 s at most. */
  ping(): Promise<void>;
}

/**
 * The database did not answer, or refused. The message is in our own words and fit for a caller; the cause, which may
 * hold the database's own text, is for the log only.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/**
 * The database answers, and denies all of a kind: a right is missing, it is read-only, a limit is reached, a table is locked or
 * damaged. The same may be stored later, once that has changed.
 */
export class DeniedError extends StoreError {}

/**
 * The database answers, and refuses these values: it will refuse them again, while others for the same rows may pass.
 * Nothing of the commit was stored.
 */
export class RefusedError extends StoreError {}

/**
 * The database's rows of a task are nothing that any ibex writes; reading them again helps only once they are mended.
 */
export class UnreadableTaskError extends StoreError {}

/** Another server has changed a host's row since it was read; nothing of this commit was stored. */
export class StaleStateError extends Error {
  override readonly name = 'StaleStateError';
}

/** The caller gave this commit up before it was made; nothing of it was stored. */
export class NotWantedError extends Error {
  override readonly name = 'NotWantedError';
}

/** Another program has used the id of a new task. Nothing was stored; ask for another id. */
export class TaskIdTakenError extends Error {
  override readonly name = 'TaskIdTakenError';
}

/** The same request has made a task already. Nothing of this commit was stored. */
export class DuplicateTaskError extends Error {
  override readonly name = 'DuplicateTaskError';
  /** of the first task */
  readonly taskId: number;
  /** of the first request's body; null where it was stored without */
  readonly bodyDigest: string | null;

  constructor(taskId: number, bodyDigest: string | null) {
    super(`the same request has made task ${taskId}`);
    this.taskId = taskId;
    this.bodyDigest = bodyDigest;
  }
}
