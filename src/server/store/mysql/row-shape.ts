import type { RowWrite } from '../dialect.js';
import type { Statement, StatementPart, StatementShape, UniqueKey } from '../engine.js';

/** More save nothing, and cost memory at both ends. */
const ROWS_MOST = 500;

export interface ShapeText<V> {
  /** the table that it writes into, or whatever else makes an order with other shapes matter */
  readonly target: string;
  readonly rank: number;
  /** what comes before the rows */
  readonly head: string;
  /** one row, with a `?` for each of `columns` */
  readonly row: string;
  /** what comes between two rows; a comma by default */
  readonly between?: string;
  readonly tail?: string;
  /** for one row, where that is another statement: its whole text with a `?` for each of its columns */
  readonly single?: Pick<ShapeText<V>, 'columns' | 'rowsEach'> & { readonly text: string };
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

  textUnits(row: V): number {
    let units = 0;
    for (const column of this.#text.columns) {
      const value = row[column];
      if (typeof value === 'string') units += value.length;
    }
    return units;
  }

  statement(rows: readonly V[]): Statement {
    return new RowsStatement(this, this.#text, rows, '');
  }
}

/** Put together only when asked for, because most of these are joined with others before. */
export class RowsStatement<V> implements Statement {
  readonly part: StatementPart;
  readonly unique: UniqueKey | undefined;
  readonly expectRows?: number;
  readonly #text: ShapeText<V>;
  readonly #rows: readonly V[];

  constructor(shape: RowShape<V>, text: ShapeText<V>, rows: readonly V[], scope: string) {
    this.#text = text;
    this.#rows = rows;
    let textUnits = 0;
    for (const row of rows) textUnits += shape.textUnits(row);
    this.part = { shape, rows, scope, textUnits };
    this.unique = text.unique;
    const { rowsEach } = this.#single ?? text;
    if (rowsEach !== undefined) this.expectRows = rowsEach * rows.length;
  }

  get sql(): string {
    const single = this.#single;
    if (single) return single.text;
    const { head, row, between = ', ', tail = '' } = this.#text;
    return `${head}${this.#rows.map(() => row).join(between)}${tail}`;
  }

  get parameters(): readonly unknown[] {
    const { columns } = this.#single ?? this.#text;
    return this.#rows.flatMap((row) => columns.map((column) => row[column]));
  }

  /** `sql` with `parameters` in it, without a detour over either: this is most of what writing costs here. */
  filled(literal: (value: unknown) => string): string {
    const { head, row: pattern, between = ', ', tail = '', columns } = this.#text;
    const [only] = this.#rows;
    const single = this.#single;
    if (single && only !== undefined) return filledRow(single.text.split('?'), single.columns, only, literal);
    const pieces = pattern.split('?');
    return `${head}${this.#rows.map((row) => filledRow(pieces, columns, row, literal)).join(between)}${tail}`;
  }

  get #single(): ShapeText<V>['single'] {
    return this.#rows.length === 1 ? this.#text.single : undefined;
  }
}

/** `pieces`: what stands before, between and behind the values. */
function filledRow<V>(
  pieces: readonly string[],
  columns: readonly (keyof V)[],
  row: V,
  literal: (value: unknown) => string,
): string {
  let text = pieces[0] ?? '';
  columns.forEach((column, position) => (text += literal(row[column]) + (pieces[position + 1] ?? '')));
  return text;
}
