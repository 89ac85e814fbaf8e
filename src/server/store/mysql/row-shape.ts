import type { RowWrite } from '../dialect.js';
import type { Statement, StatementPart, StatementShape, UniqueKey } from '../engine.js';

/** More save nothing, and cost memory at both ends. */
const ROWS_MOST = 500;
/** of an insert that says no other */
const INSERT_RANK = 1;

export interface ShapeText<V> {
  /** the table that it writes into, or whatever else makes an order with other shapes matter */
  readonly target: string;
  readonly rank: number;
  /** what comes before the rows */
  readonly head: string;
  /** one row, with a `?` for each of `columns` */
  readonly row: string;
  readonly tail?: string;
  /** the whole text for one row, where it is another */
  readonly single?: string;
  readonly rowsMost?: number;
  readonly columns: readonly (keyof V)[];
  /** rows that the server must count for each row given */
  readonly rowsEach?: number;
  readonly unique?: UniqueKey;
}

/**
 * A statement for any number of rows, that is joined with others of its shape. Its text is put together here and not
 * by kysely, for which thousands of rows would mean as many nodes of a tree.
 */
export class RowShape<V> implements RowWrite<V>, StatementShape {
  readonly target: string;
  readonly rank: number;
  readonly rowsMost: number;
  readonly #text: ShapeText<V>;

  constructor(text: ShapeText<V>) {
    this.target = text.target;
    this.rank = text.rank;
    this.rowsMost = text.rowsMost ?? ROWS_MOST;
    this.#text = text;
  }

  of(scope: string, rows: readonly V[]): Statement[] {
    return rows.length === 0 ? [] : [new RowsStatement(this, this.#text, rows, scope)];
  }

  statement(rows: readonly V[]): Statement {
    return new RowsStatement(this, this.#text, rows, '');
  }
}

/** Put together only when asked for, because most of these are joined with others before. */
class RowsStatement<V> implements Statement {
  readonly part: StatementPart;
  readonly unique: UniqueKey | undefined;
  readonly expectRows?: number;
  readonly #text: ShapeText<V>;
  readonly #rows: readonly V[];

  constructor(shape: RowShape<V>, text: ShapeText<V>, rows: readonly V[], scope: string) {
    this.part = { shape, rows, scope };
    this.unique = text.unique;
    if (text.rowsEach !== undefined) this.expectRows = text.rowsEach * rows.length;
    this.#text = text;
    this.#rows = rows;
  }

  get sql(): string {
    const { head, row, tail = '', single } = this.#text;
    if (single !== undefined && this.#rows.length === 1) return single;
    return `${head}${this.#rows.map(() => row).join(', ')}${tail}`;
  }

  get parameters(): readonly unknown[] {
    const { columns } = this.#text;
    return this.#rows.flatMap((row) => columns.map((column) => row[column]));
  }
}

/** Inserts whole rows; `tail` says what happens to those that are there already. */
export function insertInto<V>(
  table: string,
  columns: readonly (keyof V & string)[],
  more: Partial<Pick<ShapeText<V>, 'rank' | 'tail' | 'unique' | 'rowsEach'>> = {},
): RowShape<V> {
  return new RowShape<V>({
    target: table,
    rank: INSERT_RANK,
    head: `insert into \`${table}\` (${columns.map((column) => `\`${column}\``).join(', ')}) values `,
    row: `(${columns.map(() => '?').join(', ')})`,
    columns,
    ...more,
  });
}
