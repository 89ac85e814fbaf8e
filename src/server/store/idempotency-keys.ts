import type { Kysely } from 'kysely';
import type { TaskChange } from '../core/changes.js';
import type { StoreDialect } from './dialect.js';
import type { SqlEngine } from './engine.js';
import type { GroupCommit } from './group-commit.js';
import type { Tables } from './schema/tables.js';

const CLEAN_EVERY_MS = 600_000;

export interface KeyHolder {
  readonly taskId: number;
  /** of its request's body; null of one that was stored without */
  readonly bodyDigest: string | null;
}

/** The table of idempotency keys: tells which task holds one, and removes those that have expired. */
export class IdempotencyKeys implements Disposable {
  readonly #engine: SqlEngine;
  readonly #db: Kysely<Tables>;
  readonly #dialect: StoreDialect;
  readonly #commits: GroupCommit;
  readonly #timer: NodeJS.Timeout;

  constructor(engine: SqlEngine, db: Kysely<Tables>, dialect: StoreDialect, commits: GroupCommit) {
    this.#engine = engine;
    this.#db = db;
    this.#dialect = dialect;
    this.#commits = commits;
    this.#timer = setInterval(() => this.#clean(), CLEAN_EVERY_MS).unref();
  }

  /** The request that holds an idempotency key of these changes; undefined if it has been given back. Rejects with StoreError. */
  async holder(changes: readonly TaskChange[]): Promise<KeyHolder | undefined> {
    const keys = changes.flatMap((change) => (change.kind === 'create-task' ? (change.idempotencyKeys ?? []) : []));
    const [row] = await this.#engine.query(
      this.#db
        .selectFrom('ibex_idempotency')
        .select(['task_id', 'body_digest'])
        .where(
          'request_key',
          'in',
          keys.map(({ key }) => key),
        )
        .limit(1)
        .compile(),
    );
    return row && { taskId: row.task_id, bodyDigest: row.body_digest };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #clean(): void {
    const expired = this.#db.deleteFrom('ibex_idempotency').where('expires_ms', '<=', this.#dialect.nowMs);
    // The next time makes up for a failure; an expired key does no harm meanwhile.
    this.#commits.run([this.#engine.compile(expired)]).catch(() => undefined);
  }
}
