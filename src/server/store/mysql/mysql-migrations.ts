import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { UserError } from '../../../shared/errors.js';
import type { Log } from '../../../shared/log.js';
import { declarations, OWN_TABLE_NAMES } from '../schema/columns.js';
import { HOST_TABLES } from '../schema/tables.js';
import { createTable, MYSQL_TABLES } from './tables.js';

const CHANGING = 'changing a table; on a big one this takes a while';
/** Wide enough for all that the API lets through. */
const WIDE_TEXTS: readonly string[] = ['mediumtext', 'longtext'];

interface NeededIndex {
  readonly table: string;
  /** an index that begins with these columns will do */
  readonly columns: readonly string[];
  readonly unique?: boolean;
}

const NEEDED: readonly NeededIndex[] = [
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
 * The schema's history on MySQL, by name in order. MySQL commits after each change of a table, so every step looks first
 * at what is there, and may be done twice.
 */
export function mysqlMigrations(log: Log): Readonly<Record<string, Migration>> {
  return {
    '0001-tables': { up: (db: Kysely<unknown>) => makeOrUpgrade(db, log) },
    '0002-sessions': { up: makeSessionTables },
    '0003-list-index': { up: async (db: Kysely<unknown>) => addIndices(db, await existingTables(db), log) },
  };
}

/** Adds the columns that our tables have got since they were made. Where it was done before, it changes nothing. */
export async function addColumns(db: Kysely<unknown>, log: Log): Promise<void> {
  const { rows } = await sql<{ tbl: string; col: string }>`
    select table_name as tbl, column_name as col from information_schema.columns
    where table_schema = database()`.execute(db);
  const present = new Set(rows.map(({ tbl, col }) => `${tbl} ${col}`));
  for (const table of OWN_TABLE_NAMES) {
    const missing = declarations(table, 'mysql').filter(([name]) => !present.has(`${table} ${name}`));
    if (missing.length === 0) continue;
    const change = missing.map(([name, declaration]) => `add column \`${name}\` ${declaration}`).join(', ');
    log.info({ table, change }, CHANGING);
    await sql.raw(`alter table \`${table}\` ${change}`).execute(db);
  }
}

/** On an empty database all tables are made; those of a Go ibex stay, and get what they lack. Nothing is narrowed. */
async function makeOrUpgrade(db: Kysely<unknown>, log: Log): Promise<void> {
  const there = await existingTables(db);
  for (const name of Object.keys(MYSQL_TABLES)) {
    if (!there.has(name)) await sql.raw(createTable(name)).execute(db);
  }
  if (there.has('task_meta')) await widenStdin(db, log);
  await addIndices(db, there, log);
}

async function makeSessionTables(db: Kysely<unknown>): Promise<void> {
  for (const name of ['ibex_server', 'ibex_session']) await sql.raw(createTable(name)).execute(db);
}

async function widenStdin(db: Kysely<unknown>, log: Log): Promise<void> {
  const { rows } = await sql<{ type: string }>`
    select lower(data_type) as type from information_schema.columns
    where table_schema = database() and table_name = 'task_meta' and column_name = 'stdin'`.execute(db);
  const type = rows[0]?.type;
  if (type !== undefined && WIDE_TEXTS.includes(type)) return;
  const change = type === undefined ? 'add column `stdin` mediumtext after `args`' : 'modify `stdin` mediumtext';
  log.info({ table: 'task_meta', change }, CHANGING);
  await sql.raw(`alter table \`task_meta\` ${change}`).execute(db);
}

async function addIndices(db: Kysely<unknown>, tables: ReadonlySet<string>, log: Log): Promise<void> {
  const indices = await existingIndices(db);
  for (const { table, columns, unique = false } of NEEDED) {
    if (!tables.has(table)) continue;
    const found = indices.some(
      (index) =>
        index.table === table &&
        columns.every((column, position) => index.columns[position] === column) &&
        (!unique || (index.unique && index.columns.length === columns.length)),
    );
    if (found) continue;
    const change = `add ${unique ? 'unique ' : ''}index \`ibex_${columns.join('_')}\` (${columns.join(', ')})`;
    log.info({ table, change }, CHANGING);
    try {
      await sql.raw(`alter table \`${table}\` ${change}`).execute(db);
    } catch (error) {
      if (!unique) throw error;
      throw new UserError(`the table ${table} holds the same (${columns.join(', ')}) twice, which no ibex has written`);
    }
  }
}

async function existingTables(db: Kysely<unknown>): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = database()`.execute(db);
  return new Set(rows.map(({ name }) => name));
}

async function existingIndices(
  db: Kysely<unknown>,
): Promise<readonly { readonly table: string; readonly unique: boolean; readonly columns: readonly string[] }[]> {
  const { rows } = await sql<{ tbl: string; idx: string; free: number; col: string }>`
    select table_name as tbl, index_name as idx, non_unique as free, column_name as col
    from information_schema.statistics where table_schema = database()
    order by table_name, index_name, seq_in_index`.execute(db);
  const found = new Map<string, { table: string; unique: boolean; columns: string[] }>();
  for (const { tbl, idx, free, col } of rows) {
    const key = `${tbl} ${idx}`;
    const index = found.get(key) ?? { table: tbl, unique: free === 0, columns: [] };
    index.columns.push(col);
    found.set(key, index);
  }
  return [...found.values()];
}
