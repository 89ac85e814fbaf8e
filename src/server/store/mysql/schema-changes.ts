import { declarations, OWN_TABLE_NAMES } from '../schema/columns.js';
import { HOST_TABLES } from '../schema/tables.js';
import type { MysqlSession } from './mysql-session.js';
import { createTable, MYSQL_TABLES } from './tables.js';

/** Wide enough for all that the API lets through. */
const WIDE_TEXTS: readonly string[] = ['mediumtext', 'longtext'];
/** Reading the catalogue of a busy server with many tables. */
const TIMEOUT_MS = 60_000;

/** A change that brings a table up to date. */
export interface SchemaChange {
  readonly table: string;
  readonly kind: 'create' | 'column' | 'widen' | 'index' | 'unique-index';
  readonly sql: string;
}

interface Index {
  readonly table: string;
  readonly unique: boolean;
  readonly columns: readonly string[];
}

interface NeededIndex {
  readonly table: string;
  /** an index that begins with these columns will do */
  readonly columns: readonly string[];
  readonly unique?: boolean;
}

const NEEDED_INDICES: readonly NeededIndex[] = [
  // With `created`, the tasks of one creator are counted and paged through without looking at each of them.
  { table: 'task_meta', columns: ['creator', 'created'] },
  { table: 'task_meta', columns: ['created'] },
  { table: 'task_scheduler', columns: ['id', 'scheduler'] },
  { table: 'task_scheduler_health', columns: ['scheduler'], unique: true },
  { table: 'task_host_doing', columns: ['id', 'host'] },
  { table: 'task_host_doing', columns: ['host'] },
  ...Array.from({ length: HOST_TABLES }, (_, table) => ({
    table: `task_host_${table}`,
    columns: ['id', 'host'],
    unique: true,
  })),
];

/**
 * What the database lacks, in the order in which it is to be done; none where all is there. On an empty database that
 * is every table; those of a Go ibex stay, and get what they lack. Nothing is narrowed or removed. MySQL commits after
 * each change of a table, so a part of the changes may have been done by a start that was broken off.
 */
export async function neededChanges(session: MysqlSession): Promise<readonly SchemaChange[]> {
  const columns = await columnTypes(session);
  const present = new Set([...columns.keys()].map((name) => name.slice(0, name.indexOf('.'))));
  const missing = Object.keys(MYSQL_TABLES).filter((table) => !present.has(table));
  return [
    ...missing.map((table): SchemaChange => ({ table, kind: 'create', sql: createTable(table) })),
    ...(present.has('task_meta') ? widerStdin(columns.get('task_meta.stdin')) : []),
    ...OWN_TABLE_NAMES.filter((table) => present.has(table)).flatMap((table) => newColumns(table, columns)),
    ...NEEDED_INDICES.filter(({ table }) => present.has(table)).flatMap(missingIn(await existingIndices(session))),
  ];
}

function widerStdin(type: string | undefined): readonly SchemaChange[] {
  if (type === undefined)
    return [
      { table: 'task_meta', kind: 'column', sql: alter('task_meta', 'add column `stdin` mediumtext after `args`') },
    ];
  if (WIDE_TEXTS.includes(type)) return [];
  return [{ table: 'task_meta', kind: 'widen', sql: alter('task_meta', 'modify `stdin` mediumtext') }];
}

function newColumns(
  table: (typeof OWN_TABLE_NAMES)[number],
  columns: ReadonlyMap<string, string>,
): readonly SchemaChange[] {
  const missing = declarations(table, 'mysql').filter(([name]) => !columns.has(`${table}.${name}`));
  if (missing.length === 0) return [];
  const change = missing.map(([name, declaration]) => `add column \`${name}\` ${declaration}`).join(', ');
  return [{ table, kind: 'column', sql: alter(table, change) }];
}

function missingIn(indices: readonly Index[]): (needed: NeededIndex) => readonly SchemaChange[] {
  return ({ table, columns, unique = false }) => {
    const found = indices.some(
      (index) =>
        index.table === table &&
        columns.every((column, position) => index.columns[position] === column) &&
        (!unique || (index.unique && index.columns.length === columns.length)),
    );
    if (found) return [];
    const change = `add ${unique ? 'unique ' : ''}index \`ibex_${columns.join('_')}\` (${columns.join(', ')})`;
    return [{ table, kind: unique ? 'unique-index' : 'index', sql: alter(table, change) }];
  };
}

function alter(table: string, change: string): string {
  return `alter table \`${table}\` ${change}`;
}

/** The types of all columns, by table.column. */
async function columnTypes(session: MysqlSession): Promise<ReadonlyMap<string, string>> {
  const rows = await session.rows(
    `select table_name as tbl, column_name as col, lower(data_type) as type
     from information_schema.columns where table_schema = database()`,
    [],
    TIMEOUT_MS,
  );
  return new Map(rows.map(({ tbl, col, type }) => [`${String(tbl)}.${String(col)}`, String(type)]));
}

async function existingIndices(session: MysqlSession): Promise<readonly Index[]> {
  const rows = await session.rows(
    `select table_name as tbl, index_name as idx, non_unique as free, column_name as col
     from information_schema.statistics where table_schema = database()
     order by table_name, index_name, seq_in_index`,
    [],
    TIMEOUT_MS,
  );
  const found = new Map<string, { table: string; unique: boolean; columns: string[] }>();
  for (const { tbl, idx, free, col } of rows) {
    const key = `${String(tbl)} ${String(idx)}`;
    const index = found.get(key) ?? { table: String(tbl), unique: Number(free) === 0, columns: [] };
    index.columns.push(String(col));
    found.set(key, index);
  }
  return [...found.values()];
}
