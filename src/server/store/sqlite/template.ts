import type { RowWrite } from '../dialect.js';
import type { Statement } from '../engine.js';

/** Rows of one statement. */
const ROWS_MOST = 128;

/** A statement put together once and used many times with other values: one a row. */
export class Template<V> implements RowWrite<V> {
  readonly #sql: string;
  readonly #fields: readonly (keyof V)[];
  readonly #expected: Pick<Statement, 'expectRows' | 'unique'>;

  /** `fields`: which of a row's values each `?` stands for. */
  constructor(sql: string, fields: readonly (keyof V)[], expected: Pick<Statement, 'expectRows' | 'unique'> = {}) {
    this.#sql = sql;
    this.#fields = fields;
    this.#expected = expected;
  }

  of(_scope: string, rows: readonly V[]): Statement[] {
    return rows.map((row) => ({
      sql: this.#sql,
      parameters: this.#fields.map((field) => row[field]),
      ...this.#expected,
    }));
  }
}

/** An insert of any number of rows, in statements of 128 rows and a rest. */
export class RowsTemplate<V> implements RowWrite<V> {
  readonly #head: string;
  readonly #row: string;
  readonly #fields: readonly (keyof V)[];
  readonly #texts = new Map<number, string>();

  constructor(head: string, row: string, fields: readonly (keyof V)[]) {
    this.#head = head;
    this.#row = row;
    this.#fields = fields;
  }

  of(_scope: string, rows: readonly V[]): Statement[] {
    const statements: Statement[] = [];
    let at = 0;
    // The rest goes in powers of two, so that few different statements are ever prepared.
    for (let size = ROWS_MOST; size >= 1; size = Math.floor(size / 2)) {
      for (; rows.length - at >= size; at += size) {
        const parameters = rows.slice(at, at + size).flatMap((row) => this.#fields.map((field) => row[field]));
        statements.push({ sql: this.#sql(size), parameters });
      }
    }
    return statements;
  }

  #sql(size: number): string {
    let text = this.#texts.get(size);
    if (text === undefined) {
      text = this.#head + Array.from({ length: size }, () => this.#row).join(', ');
      this.#texts.set(size, text);
    }
    return text;
  }
}
