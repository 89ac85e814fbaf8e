import { sql, type Kysely } from 'kysely';
import type { ActionRow, HostRef, HostWrites, RowWrite, RunRef, Writes } from '../dialect.js';
import type { Statement } from '../engine.js';
import type { AgentTable, RunRow, SessionTable, TaskMetaRow, Tables } from '../schema/tables.js';
import { ROWS_PER_INSERT, sqliteHostWrites } from './sqlite-host-writes.js';
import { RowsTemplate, Template, type SlotOf } from './template.js';

export const SQLITE_NOW_MS = sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
export const SQLITE_NOW_SECONDS = sql<number>`unixepoch()`;

/** Writes for SQLite, whose prepared statements make many small ones cheap. */
export class SqliteWrites implements Writes {
  readonly #db: Kysely<Tables>;
  readonly #hosts = new Map<string, HostWrites>();
  readonly insertMeta;
  readonly insertAction;
  readonly insertScheduler;
  readonly insertDoing;
  readonly deleteDoing;
  readonly dropDoing;
  readonly lockDoing;
  readonly notDispatched;
  readonly runKept;
  readonly runStarted;
  readonly runEnded;
  readonly setAction;
  readonly touchAction;
  readonly holdAction;
  readonly holdScheduler;
  readonly deleteAction;
  readonly deleteScheduler;
  readonly idempotencyKey: RowWrite<OnceRow>;
  readonly saveAgent;
  readonly pinAgent;
  readonly saveSession;
  readonly deleteSession;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
    this.insertMeta = Template.of<TaskMetaRow>(
      (s) =>
        db.insertInto('task_meta').values({
          id: s('id'),
          title: s('title'),
          account: s('account'),
          batch: s('batch'),
          tolerance: s('tolerance'),
          timeout: s('timeout'),
          pause: s('pause'),
          script: s('script'),
          args: s('args'),
          stdin: s('stdin'),
          creator: s('creator'),
          created: s('created'),
        }),
      { unique: 'task-id' },
    );
    this.insertAction = Template.of<Tables['task_action']>((s) =>
      db.insertInto('task_action').values({ id: s('id'), action: s('action'), clock: s('clock') }),
    );
    this.insertScheduler = Template.of<Tables['task_scheduler']>((s) =>
      db.insertInto('task_scheduler').values({ id: s('id'), scheduler: s('scheduler') }),
    );
    this.insertDoing = new RowsTemplate<Tables['task_host_doing']>(ROWS_PER_INSERT, (rows) =>
      db
        .insertInto('task_host_doing')
        .values(rows.map((s) => ({ id: s('id'), host: s('host'), clock: s('clock'), action: s('action') }))),
    );
    this.deleteDoing = Template.of<HostRef>((s) =>
      db.deleteFrom('task_host_doing').where('id', '=', s('id')).where('host', '=', s('host')),
    );
    this.dropDoing = Template.of<HostRef & { clock: number }>((s) =>
      db
        .deleteFrom('task_host_doing')
        .where('id', '=', s('id'))
        .where('host', '=', s('host'))
        .where('clock', '=', s('clock')),
    );
    const held = (s: SlotOf<Tables['task_host_doing']>) =>
      db
        .updateTable('task_host_doing')
        .set((eb) => ({ clock: eb.ref('clock') }))
        .where('id', '=', s('id'))
        .where('host', '=', s('host'))
        .where('clock', '=', s('clock'))
        .where('action', '=', s('action'));
    this.lockDoing = Template.of<Tables['task_host_doing']>(held, { expectRows: 1 });
    this.notDispatched = Template.of<Tables['task_host_doing']>(
      (s) =>
        held(s).where((eb) => {
          const run = eb.selectFrom('ibex_run').select('ibex_run.clock');
          const same = run
            .where('ibex_run.task_id', '=', s('id'))
            .where('ibex_run.host', '=', s('host'))
            .where('ibex_run.clock', '=', s('clock'));
          return eb.not(eb.exists(same));
        }),
      { expectRows: 1 },
    );
    this.runKept = Template.of<RunRef>((s) =>
      db
        .insertInto('ibex_run')
        .values({ task_id: s('task_id'), host: s('host'), clock: s('clock') })
        .onConflict((conflict) => conflict.doNothing()),
    );
    this.runStarted = Template.of<RunRef & { started_ms: number }>((s) =>
      db
        .insertInto('ibex_run')
        .values({ task_id: s('task_id'), host: s('host'), clock: s('clock'), started_ms: s('started_ms') })
        .onConflict((conflict) =>
          conflict.columns(['task_id', 'host', 'clock']).doUpdateSet({ started_ms: s('started_ms') }),
        ),
    );
    this.runEnded = Template.of<RunRow>((s) => {
      const ended = {
        exit_code: s('exit_code'),
        signal: s('signal'),
        reason: s('reason'),
        ended_ms: s('ended_ms'),
        stdout_bytes: s('stdout_bytes'),
        stderr_bytes: s('stderr_bytes'),
        stdout_truncated: s('stdout_truncated'),
        stderr_truncated: s('stderr_truncated'),
        late: s('late'),
      };
      const key = { task_id: s('task_id'), host: s('host'), clock: s('clock') };
      return db
        .insertInto('ibex_run')
        .values({ ...key, ...ended, started_ms: s('started_ms') })
        .onConflict((conflict) =>
          conflict.columns(['task_id', 'host', 'clock']).doUpdateSet((eb) => ({
            ...ended,
            started_ms: eb.fn.coalesce('excluded.started_ms', 'ibex_run.started_ms'),
          })),
        );
    });
    this.setAction = Template.of<Tables['task_action']>(
      (s) =>
        db
          .updateTable('task_action')
          .set({ action: s('action'), clock: s('clock') })
          .where('id', '=', s('id')),
      { expectRows: 1 },
    );
    this.touchAction = Template.of<{ id: number; clock: number }>(
      (s) =>
        db
          .updateTable('task_action')
          .set({ clock: s('clock') })
          .where('id', '=', s('id')),
      { expectRows: 1 },
    );
    this.holdAction = Template.of<ActionRow>(
      (s) =>
        db
          .updateTable('task_action')
          .set((eb) => ({ clock: eb.ref('clock') }))
          .where('id', '=', s('id'))
          .where('action', '=', s('action'))
          .where('clock', '=', s('clock')),
      { expectRows: 1 },
    );
    this.holdScheduler = Template.of<Tables['task_scheduler']>(
      (s) =>
        db
          .updateTable('task_scheduler')
          .set((eb) => ({ scheduler: eb.ref('scheduler') }))
          .where('id', '=', s('id'))
          .where('scheduler', '=', s('scheduler')),
      { expectRows: 1 },
    );
    this.deleteAction = Template.of<ActionRow>(
      (s) =>
        db
          .deleteFrom('task_action')
          .where('id', '=', s('id'))
          .where('action', '=', s('action'))
          .where('clock', '=', s('clock'))
          .where((eb) => {
            const doing = eb.selectFrom('task_host_doing').select('host');
            return eb.not(eb.exists(doing.whereRef('task_host_doing.id', '=', 'task_action.id')));
          }),
      { expectRows: 1 },
    );
    this.deleteScheduler = Template.of<Tables['task_scheduler']>(
      (s) => db.deleteFrom('task_scheduler').where('id', '=', s('id')).where('scheduler', '=', s('scheduler')),
      { expectRows: 1 },
    );
    this.idempotencyKey = new OnceKeyWrite(db);
    this.saveAgent = Template.of<AgentTable>((s) => {
      const changing = {
        store_id: s('store_id'),
        boot_id: s('boot_id'),
        version: s('version'),
        kind: s('kind'),
        last_seen_ms: s('last_seen_ms'),
      };
      return db
        .insertInto('ibex_agent')
        .values({ host: s('host'), public_key: s('public_key'), first_seen_ms: s('first_seen_ms'), ...changing })
        .onConflict((conflict) => conflict.column('host').doUpdateSet(changing));
    });
    this.pinAgent = Template.of<AgentTable>((s) =>
      db
        .insertInto('ibex_agent')
        .values({
          host: s('host'),
          public_key: s('public_key'),
          store_id: s('store_id'),
          boot_id: s('boot_id'),
          version: s('version'),
          kind: s('kind'),
          first_seen_ms: s('first_seen_ms'),
          last_seen_ms: s('last_seen_ms'),
        })
        .onConflict((conflict) =>
          conflict
            .column('host')
            .doUpdateSet({ public_key: s('public_key') })
            .where('ibex_agent.public_key', '=', ''),
        ),
    );
    this.saveSession = Template.of<SessionTable>((s) => {
      const changing = { address: s('address'), since_ms: s('since_ms') };
      return db
        .insertInto('ibex_session')
        .values({ instance: s('instance'), host: s('host'), ...changing })
        .onConflict((conflict) => conflict.columns(['instance', 'host']).doUpdateSet(changing));
    });
    this.deleteSession = Template.of<Pick<SessionTable, 'instance' | 'host'>>((s) =>
      db.deleteFrom('ibex_session').where('instance', '=', s('instance')).where('host', '=', s('host')),
    );
  }

  hosts(table: `task_host_${number}`): HostWrites {
    let writes = this.#hosts.get(table);
    if (!writes) {
      writes = sqliteHostWrites(this.#db, table);
      this.#hosts.set(table, writes);
    }
    return writes;
  }
}

interface OnceRow {
  readonly request_key: string;
  readonly task_id: number;
  readonly ttl_ms: number;
}

class OnceKeyWrite implements RowWrite<OnceRow> {
  readonly #expired: Template<OnceRow>;
  readonly #insert: Template<OnceRow>;

  constructor(db: Kysely<Tables>) {
    this.#expired = Template.of((s) =>
      db
        .deleteFrom('ibex_idempotency')
        .where('request_key', '=', s('request_key'))
        .where('expires_ms', '<=', SQLITE_NOW_MS),
    );
    this.#insert = Template.of(
      (s) =>
        db.insertInto('ibex_idempotency').values({
          request_key: s('request_key'),
          task_id: s('task_id'),
          expires_ms: sql<number>`${SQLITE_NOW_MS} + ${s('ttl_ms')}`,
        }),
      { unique: 'once-key' },
    );
  }

  of(scope: string, rows: readonly OnceRow[]): Statement[] {
    return [...this.#expired.of(scope, rows), ...this.#insert.of(scope, rows)];
  }
}
