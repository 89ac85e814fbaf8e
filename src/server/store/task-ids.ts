import type { Kysely } from 'kysely';
import type { StoreDialect } from './dialect.js';
import { StatementError, type SqlEngine } from './engine.js';
import type { Tables } from './schema/tables.js';
import { StoreError } from './store.js';

/** Ids reserved at a time. A server that crashes loses at most so many. */
const BLOCK = 100;
const ATTEMPTS = 20;

/**
 * Gives out task ids, never the same twice, also between servers and over restarts: blocks are reserved in the cluster's
 * row before any of their ids is given. A server that ends in good order hands the rest of its block back.
 */
export class TaskIds implements AsyncDisposable {
  readonly #engine: SqlEngine;
  readonly #db: Kysely<Tables>;
  readonly #dialect: Pick<StoreDialect, 'firstId' | 'nextOwnId'>;
  readonly #wishedId: number | undefined;
  #next = 1;
  #last = 0;
  #reserving: Promise<void> | undefined;

  /** `wishedId`: no lower id is to be given; without it an empty database begins at its dialect's first id. */
  constructor(
    engine: SqlEngine,
    db: Kysely<Tables>,
    dialect: Pick<StoreDialect, 'firstId' | 'nextOwnId'>,
    wishedId: number | undefined,
  ) {
    this.#engine = engine;
    this.#db = db;
    this.#dialect = dialect;
    this.#wishedId = wishedId;
  }

  /** Rejects with StoreError. */
  async next(): Promise<number> {
    while (this.#next > this.#last) {
      this.#reserving ??= this.#reserve().finally(() => (this.#reserving = undefined));
      await this.#reserving;
    }
    return this.#next++;
  }

  /** Another program uses ids of this block: the next id comes from a block above all that are there. */
  leaveBlock(takenId: number): void {
    // A request at the same time may have left it already.
    if (takenId <= this.#last && this.#last < takenId + BLOCK) this.#next = this.#last + 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reserving?.catch(() => undefined);
    if (this.#next > this.#last) return;
    const [from, to] = [this.#last, this.#next - 1];
    this.#last = to;
    // The rest is lost, which harms nobody, where another server has reserved since or the database does not answer.
    await this.#move(from, to).catch(() => false);
  }

  async #reserve(): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const given = await this.#highestGiven();
      const highest = Math.max(given.last, given.used);
      const before = Math.max(highest, (this.#wishedId ?? (highest === 0 ? this.#dialect.firstId : 1)) - 1);
      if (!(await this.#move(given.last, before + BLOCK))) continue;
      this.#next = before + 1;
      this.#last = before + BLOCK;
      return;
    }
    throw new StoreError('no task ids can be reserved: other servers reserve them at the same moments');
  }

  async #highestGiven(): Promise<{ readonly last: number; readonly used: number }> {
    const [row] = await this.#engine.query(
      this.#db
        .selectFrom('ibex_cluster')
        .select((eb) => [
          'last_task_id',
          eb
            .selectFrom('task_meta')
            .select((inner) => inner.fn.max('task_meta.id').as('highest'))
            .as('highest'),
        ])
        .compile(),
    );
    if (!row) throw new StoreError('the table ibex_cluster has lost its row');
    return { last: row.last_task_id, used: Math.max(row.highest ?? 0, (await this.#dialect.nextOwnId()) - 1) };
  }

  /** False if another server has moved the row meanwhile. */
  async #move(from: number, to: number): Promise<boolean> {
    const update = this.#db.updateTable('ibex_cluster').set({ last_task_id: to }).where('last_task_id', '=', from);
    const [outcome] = await this.#engine.transaction([
      { statements: [{ ...this.#engine.compile(update), expectRows: 1 }] },
    ]);
    if (!(outcome instanceof StatementError)) return true;
    if (outcome.fault === 'rows') return false;
    throw outcome.refusal ?? new StoreError('no task id can be reserved', { cause: outcome });
  }
}
