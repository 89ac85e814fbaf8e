import { sql, type Kysely } from 'kysely';
import { pieces } from '../../shared/pieces.js';
import type { StoreDialect } from './dialect.js';
import type { SqlEngine } from './engine.js';
import type { GroupCommit } from './group-commit.js';
import { sessionMapper } from './rows.js';
import type { Tables } from './schema/tables.js';
import type { ServerMark, ServerRecord, SessionRecord } from './store.js';
import type { Writes } from './writes.js';

/** Names in one `in (…)`. */
const HOSTS_PER_QUERY = 500;

/** The tables that tell which server processes live, and which agents have a session with each. */
export class SessionQueries {
  readonly #engine: SqlEngine;
  readonly #db: Kysely<Tables>;
  readonly #nowMs: StoreDialect['nowMs'];
  readonly #writes: Pick<Writes, 'saveSession' | 'deleteSession'>;
  readonly #commits: GroupCommit;

  constructor(
    engine: SqlEngine,
    db: Kysely<Tables>,
    nowMs: StoreDialect['nowMs'],
    commits: GroupCommit,
    writes: Pick<Writes, 'saveSession' | 'deleteSession'>,
  ) {
    this.#engine = engine;
    this.#db = db;
    this.#nowMs = nowMs;
    this.#writes = writes;
    this.#commits = commits;
  }

  async mark(server: ServerRecord): Promise<boolean> {
    const seen = { ...server, seen_ms: this.#nowMs };
    const update = this.#db.updateTable('ibex_server').set(seen).where('instance', '=', server.instance);
    const [found] = await this.#commits.run([this.#engine.compile(update)]);
    if (found !== 0) return false;
    await this.#commits.run([this.#engine.compile(this.#db.insertInto('ibex_server').values(seen))]);
    return true;
  }

  async marks(): Promise<ServerMark[]> {
    const rows = await this.#engine.query(
      this.#db
        .selectFrom('ibex_server')
        .select(['instance', 'name', 'version'])
        .select(sql<number>`${this.#nowMs} - seen_ms`.as('age_ms'))
        .orderBy('instance')
        .compile(),
    );
    return rows.map(({ age_ms, ...server }) => ({ ...server, seenMsAgo: age_ms }));
  }

  async retire(instance: string): Promise<void> {
    const unseen = this.#db.updateTable('ibex_server').set({ seen_ms: 0 }).where('instance', '=', instance);
    await this.#commits.run([this.#engine.compile(unseen)]);
  }

  async remove(instance: string): Promise<void> {
    const gone = this.#db.deleteFrom('ibex_server').where('instance', '=', instance);
    await this.#commits.run([this.#engine.compile(gone)]);
  }

  async saveSessions(instance: string, sessions: readonly Omit<SessionRecord, 'instance'>[]): Promise<void> {
    const rows = sessions.map((session) => sessionMapper.toRow({ ...session, instance }));
    await this.#commits.run(this.#writes.saveSession.of(instance, rows));
  }

  async removeSessions(instance: string, hosts: readonly string[]): Promise<void> {
    const rows = hosts.map((host) => ({ instance, host }));
    await this.#commits.run(this.#writes.deleteSession.of(instance, rows));
  }

  async sessions(instances: readonly string[]): Promise<SessionRecord[]> {
    if (instances.length === 0) return [];
    const rows = await this.#engine.query(
      this.#db.selectFrom('ibex_session').selectAll().where('instance', 'in', instances).compile(),
    );
    return rows.map(sessionMapper.toRecord);
  }

  /** Which of these server processes have a session with which of these hosts. */
  async sessionsOf(
    hosts: readonly string[],
    instances: readonly string[],
  ): Promise<Pick<SessionRecord, 'host' | 'instance'>[]> {
    if (instances.length === 0) return [];
    const found: { host: string; instance: string }[] = [];
    for (const piece of pieces(hosts, HOSTS_PER_QUERY)) {
      const rows = await this.#engine.query(
        this.#db
          .selectFrom('ibex_session')
          .select(['host', 'instance'])
          .where('instance', 'in', instances)
          .where('host', 'in', piece)
          .compile(),
      );
      for (const row of rows) found.push(row);
    }
    return found;
  }
}
