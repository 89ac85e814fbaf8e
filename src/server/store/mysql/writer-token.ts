import { randomBytes } from 'node:crypto';
import type { Statement } from '../engine.js';
import type { MysqlSession } from './mysql-session.js';

/** Rows of servers that died are removed after so many days without a transaction. */
const KEEP_DAYS = 30;

/**
 * A row of a writing connection, which each of its transactions numbers. Where the answer to a COMMIT got lost, the row
 * tells whether it happened; and it is a fence: what the lost connection still has under way can't commit any more
 * once the row says so.
 */
export class WriterToken {
  readonly #id = randomBytes(16).toString('hex');
  #seq = 0;

  /** Makes the row. */
  async register(session: MysqlSession, timeoutMs: number): Promise<void> {
    await session.query(
      `delete from ibex_writer where used < now() - interval ${KEEP_DAYS} day limit 1000`,
      [],
      timeoutMs,
    );
    await session.query('insert into ibex_writer (id, seq) values (?, 0)', [this.#id], timeoutMs);
  }

  /** Removes the row; nothing may be under way. Never rejects: a row that stays is removed in time. */
  async retire(session: MysqlSession, timeoutMs: number): Promise<void> {
    await session.query('delete from ibex_writer where id = ?', [this.#id], timeoutMs).catch(() => undefined);
  }

  /** Numbers the next transaction; it is to be its first statement. */
  next(): Statement {
    this.#seq += 1;
    return {
      sql: 'update ibex_writer set seq = ? where id = ? and fenced = 0',
      parameters: [this.#seq, this.#id],
      expectRows: 1,
    };
  }

  /**
   * True where the last numbered transaction is committed; if not, it never will be. Asked through another connection
   * than its own. Rejects where there is no answer, or the transaction is still under way; it may be asked again.
   */
  async committed(session: MysqlSession, timeoutMs: number): Promise<boolean> {
    // Waits for the lost connection's locks.
    await session.query('update ibex_writer set fenced = 1 where id = ?', [this.#id], timeoutMs);
    const rows = await session.rows('select seq from ibex_writer where id = ?', [this.#id], timeoutMs);
    return rows.some((row) => Number(row['seq']) === this.#seq);
  }
}
