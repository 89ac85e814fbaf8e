import { StoreError } from '../store.js';
import { asStoreError, ConnectionLostError } from './mysql-errors.js';
import { MysqlSession, type SqlRow } from './mysql-session.js';
import type { MysqlTarget } from './mysql-target.js';

/** How long a query waits for a connection before it is refused. */
const WAIT_MS = 5_000;
/** Queries that wait for a connection; one more is refused. */
const WAITING_MOST = 10_000;

interface Lease {
  readonly session: MysqlSession;
  /** it was used before, so it may have been closed by the server meanwhile */
  readonly used: boolean;
}

/**
 * A small pool of connections that read, opened when needed. At most `readConnections` queries run at once; up to
 * 10,000 more wait, 5 s at most, and beyond either they are refused with StoreError.
 */
export class MysqlReaders implements AsyncDisposable {
  readonly #target: MysqlTarget;
  readonly #idle: MysqlSession[] = [];
  readonly #waiting = new Set<() => void>();
  #busy = 0;
  #closed = false;

  constructor(target: MysqlTarget) {
    this.#target = target;
  }

  /** Rejects with StoreError. */
  async query(sql: string, parameters: readonly unknown[]): Promise<readonly SqlRow[]> {
    await this.#turn();
    try {
      const lease = await this.#lease();
      try {
        return await this.#ask(lease.session, sql, parameters);
      } catch (error) {
        if (!(error instanceof ConnectionLostError) || !lease.used || this.#closed) throw error;
        // The others that were used before are no better.
        for (const session of this.#idle.splice(0)) session.abort();
        return await this.#ask((await this.#lease()).session, sql, parameters);
      }
    } catch (error) {
      throw asStoreError(error);
    } finally {
      this.#busy -= 1;
      const [next] = this.#waiting;
      next?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((session) => session[Symbol.asyncDispose]()));
  }

  async #ask(session: MysqlSession, sql: string, parameters: readonly unknown[]): Promise<readonly SqlRow[]> {
    try {
      return await session.rows(sql, parameters, this.#target.answerTimeoutMs);
    } finally {
      this.#giveBack(session);
    }
  }

  #giveBack(session: MysqlSession): void {
    if (session.lost) return;
    if (this.#closed || this.#idle.length >= this.#target.idleConnections) void session[Symbol.asyncDispose]();
    else this.#idle.push(session);
  }

  async #turn(): Promise<void> {
    if (this.#closed) throw new StoreError('the database does not answer: the store is closed');
    if (this.#busy >= this.#target.readConnections) {
      if (this.#waiting.size >= WAITING_MOST) throw new StoreError('the database is too slow: too much waits for it');
      await new Promise<void>((resolve, reject) => {
        const turn = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(turn);
          this.#busy += 1;
          resolve();
        };
        const timer = setTimeout(() => {
          this.#waiting.delete(turn);
          reject(new StoreError('the database is too slow: all connections are in use'));
        }, WAIT_MS);
        this.#waiting.add(turn);
      });
      return;
    }
    this.#busy += 1;
  }

  async #lease(): Promise<Lease> {
    const { maxAgeMs } = this.#target;
    for (let session = this.#idle.pop(); session; session = this.#idle.pop()) {
      if (session.lost) continue;
      if (maxAgeMs === 0 || performance.now() - session.openedMs < maxAgeMs) return { session, used: true };
      void session[Symbol.asyncDispose]();
    }
    return { session: await MysqlSession.open(this.#target, { kind: 'read' }), used: false };
  }
}
