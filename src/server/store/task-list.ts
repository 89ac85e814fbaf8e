import { sql, type Kysely } from 'kysely';
import { pieces } from '../../shared/pieces.js';
import type { StoreDialect } from './dialect.js';
import type { SqlEngine } from './engine.js';
import { taskMeta } from './rows.js';
import type { Tables } from './schema/tables.js';
import type { TaskMeta } from '../core/records.js';
import type { TaskListFilter } from './store.js';

/** Ids in one `in (…)`. */
const IDS_PER_QUERY = 500;

/** Reads about many tasks at once. */
export class TaskList {
  readonly #engine: SqlEngine;
  readonly #db: Kysely<Tables>;
  readonly #dialect: Pick<StoreDialect, 'timeText'>;

  constructor(engine: SqlEngine, db: Kysely<Tables>, dialect: Pick<StoreDialect, 'timeText'>) {
    this.#engine = engine;
    this.#db = db;
    this.#dialect = dialect;
  }

  async find(
    filter: TaskListFilter,
  ): Promise<{ readonly total: number; readonly list: readonly (TaskMeta & { done: boolean })[] }> {
    const found = this.#matching(filter);
    const [count] = await this.#engine.query(found.select((eb) => eb.fn.countAll<number>().as('total')).compile());
    let page = found
      .leftJoin('ibex_task', 'ibex_task.id', 'task_meta.id')
      .selectAll('task_meta')
      .select('ibex_task.terminal as terminal')
      .orderBy('created', 'desc')
      .orderBy('task_meta.id', 'desc');
    if (filter.limit > 0) page = page.limit(filter.limit).offset(filter.offset);
    const metas = (await this.#engine.query(page.compile())).map(taskMeta);
    const open = await this.openAmong(metas.map((meta) => meta.id));
    return { total: count?.total ?? 0, list: metas.map((meta) => ({ ...meta, done: !open.has(meta.id) })) };
  }

  async openAmong(taskIds: readonly number[]): Promise<Set<number>> {
    const open = new Set<number>();
    for (const ids of pieces(taskIds, IDS_PER_QUERY)) {
      const rows = await this.#engine.query(
        this.#db.selectFrom('task_action').select('id').where('id', 'in', ids).compile(),
      );
      for (const { id } of rows) open.add(id);
    }
    return open;
  }

  #matching(filter: TaskListFilter) {
    let query = this.#db.selectFrom('task_meta');
    if (filter.creator !== '') query = query.where('creator', '=', filter.creator);
    if (filter.sinceMs !== undefined) query = query.where('created', '>', this.#dialect.timeText(filter.sinceMs));
    for (const word of filter.words) {
      const without = word.startsWith('-');
      const pattern = `%${escaped(without ? word.slice(1) : word)}%`;
      query = query.where(
        without ? sql<boolean>`title not like ${pattern} escape '!'` : sql<boolean>`title like ${pattern} escape '!'`,
      );
    }
    return query;
  }
}

/** `%` and `_` are to be found as themselves. */
function escaped(word: string): string {
  return word.replace(/[!%_]/g, (character) => `!${character}`);
}
