import type { Kysely } from 'kysely';
import { pieces } from '../../shared/pieces.js';
import { isActive, isFinal, isTaskAction } from '../../shared/task-states.js';
import { checkAssignable } from './assignable.js';
import type { SqlEngine } from './engine.js';
import { hostStatus, runMapper, taskMeta } from './rows.js';
import { hostTable, type RunRow, type TaskHostDoingTable, type Tables } from './schema/tables.js';
import type { HostOutput, HostRow, LastRun, OpenTask, RunDetail, TaskMeta } from '../core/records.js';
import { UnreadableTaskError } from './store.js';

type OpenHost = OpenTask['hosts'][number];

/** Names in one `in (…)`. */
const HOSTS_PER_QUERY = 500;

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
      this.#db
        .selectFrom('task_meta')
        .leftJoin('ibex_task', 'ibex_task.id', 'task_meta.id')
        .selectAll('task_meta')
        .select('ibex_task.terminal as terminal')
        .where('task_meta.id', '=', taskId)
        .compile(),
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
    return (await this.#runs(taskId, hosts)).map(runMapper.toRecord);
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

  async openTask(taskId: number, hosts?: readonly string[]): Promise<OpenTask | undefined> {
    const [actions, schedulers] = await Promise.all([
      this.#engine.query(
        this.#db.selectFrom('task_action').select(['action', 'clock']).where('id', '=', taskId).compile(),
      ),
      this.#engine.query(this.#db.selectFrom('task_scheduler').select('scheduler').where('id', '=', taskId).compile()),
    ]);
    const [inForce] = actions;
    const meta = inForce && (await this.meta(taskId));
    if (!inForce || !meta) return undefined;
    const { action, clock: actionClock } = inForce;
    if (!isTaskAction(action)) throw new UnreadableTaskError(`task ${taskId} has an unknown action in the database`);
    checkAssignable(meta);
    const scheduler = schedulers.length === 1 ? schedulers[0]?.scheduler : undefined;
    return { meta, action, actionClock, scheduler, hosts: await this.#openHosts(taskId, hosts) };
  }

  /** Several queries may read different moments; hosts that show it are read once more. */
  async #openHosts(taskId: number, hosts: readonly string[] | undefined): Promise<OpenHost[]> {
    const found = await this.#openHostsOf(taskId, hosts);
    const torn = found.filter(isTorn).map(({ host }) => host);
    if (torn.length === 0) return found;
    const again = new Map((await this.#openHostsOf(taskId, torn)).map((row) => [row.host, row]));
    return found.map((row) => again.get(row.host) ?? row);
  }

  async #openHostsOf(taskId: number, hosts: readonly string[] | undefined): Promise<OpenHost[]> {
    if (!hosts) return this.#openHostsIn(taskId, undefined);
    const found: OpenHost[] = [];
    for (const piece of pieces(hosts, HOSTS_PER_QUERY)) {
      const rows = await this.#openHostsIn(taskId, piece);
      // A column may compare more loosely than byte for byte.
      const asked = new Set(piece);
      found.push(...rows.filter(({ host }) => asked.has(host)));
    }
    return found;
  }

  async #openHostsIn(taskId: number, hosts: readonly string[] | undefined): Promise<OpenHost[]> {
    let rows = this.#db.selectFrom(hostTable(taskId)).select(['host', 'status']).where('id', '=', taskId).orderBy('ii');
    let doings = this.#db.selectFrom('task_host_doing').selectAll().where('id', '=', taskId);
    let runs = this.#db.selectFrom('ibex_run').selectAll().where('task_id', '=', taskId).orderBy('clock');
    if (hosts) {
      rows = rows.where('host', 'in', hosts);
      doings = doings.where('host', 'in', hosts);
      runs = runs.where('host', 'in', hosts);
    }
    const [hostRows, doingRows, runRows] = await Promise.all([
      this.#engine.query(rows.compile()),
      this.#engine.query(doings.compile()),
      this.#engine.query(runs.compile()),
    ]);
    const doingOf = new Map(doingRows.map((doing) => [doing.host, doing]));
    // Clocks come in rising order, so the last one of a host is its newest.
    const runOf = new Map(runRows.map((run) => [run.host, run]));
    return hostRows.map(({ host, status }) =>
      openHost({ host, status: hostStatus(status, taskId, host) }, doingOf.get(host), runOf.get(host)),
    );
  }

  #runs(taskId: number, hosts?: readonly string[]): Promise<RunRow[]> {
    const all = this.#db.selectFrom('ibex_run').selectAll().where('task_id', '=', taskId).orderBy('clock');
    return this.#engine.query((hosts ? all.where('host', 'in', hosts) : all).compile());
  }
}

/** A run is active if and only if it has a row in task_host_doing. */
function isTorn({ status, activeRun: doing, strayClock }: OpenHost): boolean {
  return strayClock !== undefined || (doing === undefined && isActive(status));
}

function openHost(row: HostRow, doing: TaskHostDoingTable | undefined, run: RunRow | undefined): OpenHost {
  const { startClock, reported } = newestStart(doing, run);
  const wanted = doing && !isFinal(row.status) ? doing : undefined;
  return {
    ...row,
    activeRun: wanted && { clock: wanted.clock, action: wanted.action === 'kill' ? 'kill' : 'start' },
    strayClock: wanted ? undefined : doing?.clock,
    startClock,
    startedMs: run && run.clock === startClock ? run.started_ms : null,
    reported: reported && isFinal(row.status),
    // A host settled as not started has no run, though a row of its details says so.
    dispatched: run?.clock === startClock && run.reason !== 'not-started',
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
