import type { Kysely } from 'kysely';
import { isFinal, isTaskAction } from '../../shared/task-states.js';
import type { SqlEngine } from './engine.js';
import { hostStatus, runDetail, taskMeta } from './rows.js';
import { hostTable, type RunRow, type TaskHostDoingTable, type Tables } from './schema/tables.js';
import {
  StoreError,
  type HostOutput,
  type HostRow,
  type LastRun,
  type OpenTask,
  type RunDetail,
  type TaskMeta,
} from './store.js';

type OpenHost = OpenTask['hosts'][number];

/** Reads one task and its hosts. */
export class TaskQueries {
  readonly #engine: SqlEngine;
  readonly #db: Kysely<Tables>;

  constructor(engine: SqlEngine, db: Kysely<Tables>) {
    this.#engine = engine;
    this.#db = db;
  }

  async meta(taskId: number): Promise<TaskMeta | undefined> {
    const [row] = await this.#engine.query(
      this.#db.selectFrom('task_meta').selectAll().where('id', '=', taskId).compile(),
    );
    return row && taskMeta(row);
  }

  async action(taskId: number): Promise<string | undefined> {
    const [row] = await this.#engine.query(
      this.#db.selectFrom('task_action').select('action').where('id', '=', taskId).compile(),
    );
    return row?.action;
  }

  async hosts(taskId: number): Promise<HostRow[]> {
    const rows = await this.#engine.query(
      this.#db
        .selectFrom(hostTable(taskId))
        .select(['host', 'status'])
        .where('id', '=', taskId)
        .orderBy('ii')
        .compile(),
    );
    return rows.map(({ host, status }) => ({ host, status: hostStatus(status, taskId, host) }));
  }

  async outputs(taskId: number, host?: string): Promise<HostOutput[]> {
    const all = this.#db
      .selectFrom(hostTable(taskId))
      .select(['host', 'status', 'stdout', 'stderr'])
      .where('id', '=', taskId)
      .orderBy('ii');
    const name = host === undefined ? undefined : await this.#storedName(taskId, host);
    if (host !== undefined && name === undefined) return [];
    const rows = await this.#engine.query((name === undefined ? all : all.where('host', '=', name)).compile());
    return rows
      .filter((row) => name === undefined || row.host === name)
      .map((row) => ({
        host: row.host,
        status: hostStatus(row.status, taskId, row.host),
        stdout: row.stdout ?? '',
        stderr: row.stderr ?? '',
      }));
  }

  /** A host's name as the task has it: the same byte for byte, else in another letter case. */
  async #storedName(taskId: number, host: string): Promise<string | undefined> {
    const names = this.#db.selectFrom(hostTable(taskId)).select('host').where('id', '=', taskId);
    const exact = await this.#engine.query(names.where('host', '=', host).compile());
    if (exact.some((row) => row.host === host)) return host;
    // Databases differ in which letters they take for the same; so all names are looked through here.
    const folded = host.toLowerCase();
    const rows = await this.#engine.query(names.orderBy('ii').compile());
    return rows.find((row) => row.host.toLowerCase() === folded)?.host;
  }

  async runDetails(taskId: number, hosts?: readonly string[]): Promise<RunDetail[]> {
    return (await this.#runs(taskId, hosts)).map(runDetail);
  }

  async lastRun(taskId: number, host: string): Promise<LastRun | undefined> {
    const [rows, doings, runs] = await Promise.all([
      this.#engine.query(
        this.#db
          .selectFrom(hostTable(taskId))
          .select(['host', 'status'])
          .where('id', '=', taskId)
          .where('host', '=', host)
          .compile(),
      ),
      this.#engine.query(
        this.#db.selectFrom('task_host_doing').selectAll().where('id', '=', taskId).where('host', '=', host).compile(),
      ),
      this.#engine.query(
        this.#db
          .selectFrom('ibex_run')
          .selectAll()
          .where('task_id', '=', taskId)
          .where('host', '=', host)
          .orderBy('clock', 'desc')
          .compile(),
      ),
    ]);
    // A column may compare more loosely than byte for byte.
    const exact = (found: { readonly host: string }): boolean => found.host === host;
    const [row, doing, run] = [rows.find(exact), doings.find(exact), runs.find(exact)];
    return row && { status: hostStatus(row.status, taskId, host), ...newestStart(doing, run) };
  }

  async openTask(taskId: number): Promise<OpenTask | undefined> {
    const action = await this.action(taskId);
    const meta = action === undefined ? undefined : await this.meta(taskId);
    if (action === undefined || meta === undefined) return undefined;
    if (!isTaskAction(action)) throw new StoreError(`task ${taskId} has an unknown action in the database`);
    const [hosts, doings, runs] = await Promise.all([
      this.hosts(taskId),
      this.#engine.query(this.#db.selectFrom('task_host_doing').selectAll().where('id', '=', taskId).compile()),
      this.#runs(taskId),
    ]);
    const doingOf = new Map(doings.map((doing) => [doing.host, doing]));
    // Clocks come in rising order, so the last one of a host is its newest.
    const runOf = new Map(runs.map((run) => [run.host, run]));
    return {
      meta,
      action,
      hosts: hosts.map((row) => openHost(row, doingOf.get(row.host), runOf.get(row.host))),
    };
  }

  #runs(taskId: number, hosts?: readonly string[]): Promise<RunRow[]> {
    const all = this.#db.selectFrom('ibex_run').selectAll().where('task_id', '=', taskId).orderBy('clock');
    return this.#engine.query((hosts ? all.where('host', 'in', hosts) : all).compile());
  }
}

function openHost(row: HostRow, doing: TaskHostDoingTable | undefined, run: RunRow | undefined): OpenHost {
  const { startClock, reported } = newestStart(doing, run);
  const wanted = doing && !isFinal(row.status) ? doing : undefined;
  return {
    ...row,
    doing: wanted && { clock: wanted.clock, action: wanted.action === 'kill' ? 'kill' : 'start' },
    startClock,
    startedMs: run && run.clock === startClock ? run.started_ms : null,
    reported,
  };
}

/** A start is known by its doing row, unless a kill has taken that row over or its end has removed it. */
function newestStart(
  doing: TaskHostDoingTable | undefined,
  run: RunRow | undefined,
): { readonly startClock: number; readonly reported: boolean } {
  const clocks = [run?.clock ?? 0, doing?.action === 'start' ? doing.clock : 0];
  const startClock = Math.max(...clocks);
  return { startClock, reported: run?.clock === startClock && run.ended_ms !== null };
}
