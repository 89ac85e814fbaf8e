import type { Compilable, CompiledQuery } from 'kysely';
import type { Member, MemberOutcome, SqlEngine, Statement } from '../engine.js';
import { MysqlReaders } from './mysql-readers.js';
import type { MysqlTarget } from './mysql-target.js';
import { MysqlWriter } from './mysql-writer.js';
import type { TextColumns } from './text-columns.js';

/** MySQL and MariaDB behind the engine's face: one connection that writes, a few that read. */
export class MysqlEngine implements SqlEngine {
  readonly outOfProcess = true;
  readonly #writer: MysqlWriter;
  readonly #readers: MysqlReaders;
  readonly #texts: TextColumns;

  constructor(target: MysqlTarget, texts: TextColumns) {
    this.#texts = texts;
    this.#writer = new MysqlWriter(target);
    this.#readers = new MysqlReaders(target);
  }

  async query<Row>(query: CompiledQuery<Row>): Promise<Row[]> {
    // The rows are as kysely's types say because the schema is: the migrations made or checked both.
    return (await this.#readers.query(query.sql, this.#texts.comparable(query.sql, query.parameters))) as Row[];
  }

  transaction(members: readonly Member[]): Promise<readonly MemberOutcome[]> {
    return this.#writer.transaction(members);
  }

  compile(query: Compilable): Statement {
    const { sql, parameters } = query.compile();
    return { sql, parameters };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
    await this.#readers[Symbol.asyncDispose]();
  }
}
