import {
  resolved,
  type HostChange,
  type HostText,
  type HostWrites,
  type InsertSpec,
  type RowWrite,
  type UpdateSpec,
  type UpsertSpec,
  type WhereSpec,
  type WriteMaker,
} from '../dialect.js';
import { RowsTemplate, Template } from './template.js';

/** Writes for SQLite, whose prepared statements make many small ones cheap. */
export const sqliteWrites: WriteMaker = {
  nowMs: `cast(unixepoch('subsec') * 1000 as integer)`,

  insert<V>(spec: InsertSpec<V>): RowWrite<V> {
    const { columns, unique } = spec;
    if (unique === undefined && !spec.values) return new RowsTemplate<V>(insertHead(spec), rowOf(spec), columns);
    return new Template<V>(insertHead(spec) + rowOf(spec), columns, unique === undefined ? {} : { unique });
  },

  upsert<V>(spec: UpsertSpec<V>): RowWrite<V> {
    const updates = spec.columns.flatMap((column) => {
      const policy = spec.onConflict[column];
      return policy === undefined
        ? []
        : [`"${column}" = ${resolved(policy, `excluded."${column}"`, `"${spec.table}"."${column}"`)}`];
    });
    const conflict = updates.length === 0 ? 'do nothing' : `(${names(spec.key)}) do update set ${updates.join(', ')}`;
    return new Template<V>(`${insertHead(spec)}${rowOf(spec)} on conflict ${conflict}`, spec.columns);
  },

  update<V>(spec: UpdateSpec<V>): RowWrite<V> {
    const set = spec.set.map((column) => `"${column}" = ?`).join(', ');
    return withWhere(`update "${spec.table}" set ${set}`, spec, spec.set);
  },

  delete: <V>(spec: WhereSpec<V>): RowWrite<V> => withWhere(`delete from "${spec.table}"`, spec),

  lock<V>(spec: WhereSpec<V>): RowWrite<V> {
    const column = spec.where.at(-1);
    return withWhere(`update "${spec.table}" set "${column}" = "${column}"`, spec);
  },

  hosts(table: string): HostWrites {
    const guarded = '"id" = ? and "host" = ? and "status" = ?';
    const texts = '"stdout" = ?, "stderr" = ?';
    const change = ['id', 'host', 'from'] as const;
    return {
      insert: sqliteWrites.insert({ table, rank: 0, columns: ['id', 'host', 'status'] }),
      status: new Template<HostChange>(`update "${table}" set "status" = ? where ${guarded}`, ['to', ...change], {
        expectRows: 1,
      }),
      output: new Template<HostChange & HostText>(
        `update "${table}" set "status" = ?, ${texts} where ${guarded}`,
        ['to', 'stdout', 'stderr', ...change],
        { expectRows: 1 },
      ),
      outputOnly: new Template<HostText>(`update "${table}" set ${texts} where "id" = ? and "host" = ?`, [
        'stdout',
        'stderr',
        'id',
        'host',
      ]),
    };
  },
};

function insertHead<V>({ table, columns }: InsertSpec<V>): string {
  return `insert into "${table}" (${names(columns)}) values `;
}

function rowOf<V>({ columns, values }: InsertSpec<V>): string {
  return `(${columns.map((column) => values?.[column] ?? '?').join(', ')})`;
}

function withWhere<V>(head: string, spec: WhereSpec<V>, fields: readonly (keyof V)[] = []): Template<V> {
  const { where, and, unless, expectRows } = spec;
  const conditions = where.map((column) => `"${column}" = ?`);
  if (and !== undefined) conditions.push(and);
  const others = Object.entries(unless?.columns ?? {});
  if (unless) {
    const same = others.map(([name]) => `"${unless.table}"."${name}" = ?`).join(' and ');
    conditions.push(`not exists (select 1 from "${unless.table}" where ${same})`);
  }
  const values = [...fields, ...where, ...others.map(([, field]) => field)];
  return new Template<V>(
    `${head} where ${conditions.join(' and ')}`,
    values,
    expectRows === undefined ? {} : { expectRows },
  );
}

function names(columns: readonly string[]): string {
  return columns.map((column) => `"${column}"`).join(', ');
}
