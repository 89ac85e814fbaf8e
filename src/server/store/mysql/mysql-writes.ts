import {
  resolved,
  type HostWrites,
  type InsertSpec,
  type RowWrite,
  type UpdateSpec,
  type UpsertSpec,
  type WhereSpec,
  type WriteMaker,
} from '../dialect.js';
import { MysqlHostWrites } from './mysql-host-writes.js';
import { RowShape, type ShapeText } from './row-shape.js';

/** Pairs or conditions in one `where`: with 200 MariaDB ends its look at the index (eq_range_index_dive_limit). */
const WHERE_ROWS_MOST = 100;

/** Writes for MySQL and MariaDB, where many rows in one statement cost little more than one. */
export const mysqlWrites: WriteMaker = {
  nowMs: 'cast(unix_timestamp(now(3)) * 1000 as signed)',

  insert: <V>(spec: InsertSpec<V>): RowWrite<V> => new RowShape<V>(insertText(spec)),

  upsert<V>(spec: UpsertSpec<V>): RowWrite<V> {
    const updates = spec.columns.flatMap((column) => {
      const policy = spec.onConflict[column];
      return policy === undefined
        ? []
        : [`\`${column}\` = ${resolved(policy, `values(\`${column}\`)`, `\`${column}\``)}`];
    });
    const [first = ''] = spec.key;
    // `insert ignore` would let a wrong value pass, too.
    if (updates.length === 0) updates.push(`\`${first}\` = \`${first}\``);
    return new RowShape<V>({ ...insertText(spec), tail: ` on duplicate key update ${updates.join(', ')}` });
  },

  update<V>({ table, set, where, expectRows }: UpdateSpec<V>): RowWrite<V> {
    const text = `update \`${table}\` set ${set.map(equals).join(', ')} where ${where.map(equals).join(' and ')}`;
    const expected = expectRows === undefined ? {} : { expectRows };
    return {
      of: (_scope, rows) =>
        rows.map((row) => ({ sql: text, parameters: [...set, ...where].map((field) => row[field]), ...expected })),
    };
  },

  delete: <V>(spec: WhereSpec<V>): RowWrite<V> => whereShape(`delete from \`${spec.table}\``, spec),

  lock<V>(spec: WhereSpec<V>): RowWrite<V> {
    const column = `\`${spec.where.at(-1) ?? ''}\``;
    return whereShape(`update \`${spec.table}\` set ${column} = ${column}`, spec);
  },

  hosts: (table: string): HostWrites => new MysqlHostWrites(table),
};

function insertText<V>({ table, rank, columns, unique, values }: InsertSpec<V>): ShapeText<V> {
  return {
    target: table,
    rank,
    head: `insert into \`${table}\` (${columns.map((column) => `\`${column}\``).join(', ')}) values `,
    row: `(${columns.map((column) => values?.[column] ?? '?').join(', ')})`,
    columns,
    ...(unique === undefined ? {} : { unique }),
  };
}

/** How many rows are best looked for in one statement depends on how many columns tell which they are. */
function whereShape<V>(head: string, spec: WhereSpec<V>): RowShape<V> {
  const { table, rank, where, and, unless, expectRows } = spec;
  const others = Object.entries(unless?.columns ?? {});
  const shape = {
    target: table,
    rank,
    columns: [...where, ...others.map(([, field]) => field)],
    ...(expectRows === undefined ? {} : { rowsEach: expectRows }),
  };
  const besides = and === undefined ? '' : ` and ${and}`;
  const names = where.map((column) => `\`${column}\``).join(', ');
  if (where.length === 1)
    return new RowShape<V>({ ...shape, head: `${head} where ${names} in (`, row: '?', tail: `)${besides}` });
  const conditions = where.map(equals);
  if (where.length === 2 && !unless) {
    return new RowShape<V>({
      ...shape,
      head: `${head} where (${names}) in (`,
      row: '(?, ?)',
      tail: `)${besides}`,
      rowsMost: WHERE_ROWS_MOST,
      // For one pair in brackets MariaDB reads the whole table; for pairs joined by `or` it may take another index.
      single: { ...shape, text: `${head} where ${conditions.join(' and ')}${besides}` },
    });
  }
  if (unless) {
    const same = others.map(([name]) => `\`${unless.table}\`.\`${name}\` = ?`).join(' and ');
    conditions.push(`not exists (select 1 from \`${unless.table}\` where ${same})`);
  }
  // Not as triples in brackets, of which an index may have only the first.
  const row = `(${conditions.join(' and ')})`;
  return new RowShape<V>({
    ...shape,
    head: `${head} where (`,
    row,
    between: ' or ',
    tail: `)${besides}`,
    rowsMost: WHERE_ROWS_MOST,
  });
}

function equals(column: string): string {
  return `\`${column}\` = ?`;
}
