import type { Kysely } from 'kysely';
import { pieces } from '../../shared/pieces.js';
import type { SqlEngine } from './engine.js';
import type { GroupCommit } from './group-commit.js';
import { agentMapper } from './rows.js';
import type { Tables } from './schema/tables.js';
import type { AgentRecord } from './store.js';
import type { Writes } from './writes.js';

/** Names in one removal. */
const HOSTS_PER_COMMIT = 500;

/** The table of agents and their keys. */
export class AgentQueries {
  readonly #engine: SqlEngine;
  readonly #db: Kysely<Tables>;
  readonly #commits: GroupCommit;
  readonly #writes: Pick<Writes, 'saveAgent' | 'pinAgent'>;

  constructor(
    engine: SqlEngine,
    db: Kysely<Tables>,
    commits: GroupCommit,
    writes: Pick<Writes, 'saveAgent' | 'pinAgent'>,
  ) {
    this.#engine = engine;
    this.#db = db;
    this.#commits = commits;
    this.#writes = writes;
  }

  async all(): Promise<AgentRecord[]> {
    const rows = await this.#engine.query(this.#db.selectFrom('ibex_agent').selectAll().orderBy('host').compile());
    return rows.map(agentMapper.toRecord);
  }

  async one(host: string): Promise<AgentRecord | undefined> {
    const rows = await this.#engine.query(
      this.#db.selectFrom('ibex_agent').selectAll().where('host', '=', host).compile(),
    );
    // A column may compare more loosely than byte for byte.
    const row = rows.find((found) => found.host === host);
    return row && agentMapper.toRecord(row);
  }

  async save(record: AgentRecord): Promise<void> {
    await this.#commits.run(this.#writes.saveAgent.of(record.host, [agentMapper.toRow(record)]));
  }

  async pin(record: AgentRecord): Promise<AgentRecord> {
    await this.#commits.run(this.#writes.pinAgent.of(record.host, [agentMapper.toRow(record)]));
    return (await this.one(record.host)) ?? record;
  }

  async forget(host: string): Promise<boolean> {
    if (!(await this.one(host))) return false;
    const update = this.#db
      .updateTable('ibex_agent')
      .set({ public_key: '' })
      .where('host', '=', host)
      .where('public_key', '!=', '');
    const [changed] = await this.#commits.run([this.#engine.compile(update)]);
    return changed === 1;
  }

  async remove(hosts: readonly string[], seenUntilMs: number): Promise<void> {
    for (const piece of pieces(hosts, HOSTS_PER_COMMIT)) {
      const gone = await this.#withoutSession(piece);
      if (gone.length === 0) continue;
      const removal = this.#db
        .deleteFrom('ibex_agent')
        .where('host', 'in', gone)
        .where('public_key', '=', '')
        .where('last_seen_ms', '<=', seenUntilMs);
      await this.#commits.run([this.#engine.compile(removal)]);
    }
  }

  /** In the removal itself MariaDB would go through all sessions for each of the hosts, while every commit waits. */
  async #withoutSession(hosts: readonly string[]): Promise<string[]> {
    const sessions = this.#db.selectFrom('ibex_session').select('host').where('host', 'in', hosts);
    const here = new Set((await this.#engine.query(sessions.compile())).map(({ host }) => host));
    return hosts.filter((host) => !here.has(host));
  }
}
