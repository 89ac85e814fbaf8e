import { sql, type Kysely } from 'kysely';
import { pieces } from '../../shared/pieces.js';
import type { StoreDialect } from './dialect.js';
import type { SqlEngine } from './engine.js';
import type { GroupCommit } from './group-commit.js';
import type { Tables } from './schema/tables.js';
import type { Schedulers } from './store.js';

/** Ids in one `in (…)`. */
const IDS_PER_STATEMENT = 500;

/** The tables that say who schedules what, and who of them lives. */
export class SqlSchedulers implements Schedulers {
  readonly #engine: SqlEngine;
  readonly #db: Kysely<Tables>;
  readonly #now: StoreDialect['nowSeconds'];
  readonly #commits: GroupCommit;

  constructor(engine: SqlEngine, db: Kysely<Tables>, now: StoreDialect['nowSeconds'], commits: GroupCommit) {
    this.#engine = engine;
    this.#db = db;
    this.#now = now;
    this.#commits = commits;
  }

  async silence(): Promise<ReadonlyMap<string, number>> {
    const silentSeconds = sql<number>`${this.#now} - clock`.as('silent');
    const rows = await this.#engine.query(
      this.#db.selectFrom('task_scheduler_health').select(['scheduler', silentSeconds]).compile(),
    );
    return new Map(rows.map(({ scheduler, silent }) => [scheduler, silent * 1_000]));
  }

  async beat(scheduler: string): Promise<void> {
    const health = { clock: this.#now };
    const update = this.#db.updateTable('task_scheduler_health').set(health).where('scheduler', '=', scheduler);
    const [found] = await this.#commits.run([this.#engine.compile(update)]);
    if (found !== 0) return;
    const insert = this.#db.insertInto('task_scheduler_health').values({ scheduler, ...health });
    await this.#commits.run([this.#engine.compile(insert)]);
  }

  async retire(scheduler: string): Promise<void> {
    const query = this.#db.deleteFrom('task_scheduler_health').where('scheduler', '=', scheduler);
    await this.#commits.run([this.#engine.compile(query)]);
  }

  async take(taskIds: readonly number[], from: string, to: string): Promise<number> {
    let taken = 0;
    for (const piece of pieces(taskIds, IDS_PER_STATEMENT)) {
      const query = this.#db
        .updateTable('task_scheduler')
        .set({ scheduler: to })
        .where('id', 'in', piece)
        .where('scheduler', '=', from);
      const [changed = 0] = await this.#commits.run([this.#engine.compile(query)]);
      taken += changed;
    }
    return taken;
  }

  async adopt(taskId: number, to: string): Promise<void> {
    // The first one holds the task's row, so that of two servers one comes after the other; the last one has the task.
    const hold = this.#db
      .updateTable('task_action')
      .set((eb) => ({ clock: eb.ref('clock') }))
      .where('id', '=', taskId);
    const clear = this.#db.deleteFrom('task_scheduler').where('id', '=', taskId);
    const insert = this.#db.insertInto('task_scheduler').values({ id: taskId, scheduler: to });
    await this.#commits.run([
      { ...this.#engine.compile(hold), expectRows: 1 },
      this.#engine.compile(clear),
      this.#engine.compile(insert),
    ]);
  }
}
