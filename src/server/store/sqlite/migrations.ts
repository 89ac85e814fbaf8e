import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { declarations, OWN_TABLE_NAMES, OWN_TABLES, type OwnTable } from '../schema/columns.js';
import { HOST_TABLES, type Tables } from '../schema/tables.js';

/** The schema's history on SQLite, by name in order. A migration that was ever released is never changed. */
export const sqliteMigrations: Readonly<Record<string, Migration>> = {
  '0001-tables': { up: createTables },
  '0002-once-keys': { up: createIdempotencyKeys },
  '0003-sessions': { up: createSessions },
  '0004-list-index': { up: widenCreatorIndex },
  '0005-task-options': { up: (db) => createOwn(db, 'ibex_task') },
};

/** The tables of the Go ibex but for those of hosts. */
const ORIGINAL_TABLES: readonly string[] = [
  `create table task_meta (id integer primary key, title varchar(255) default '' not null, account varchar(64) not null,
    batch integer default 0 not null, tolerance integer default 0 not null, timeout integer default 0 not null,
    pause varchar(255) default '' not null, script text not null, args varchar(512) default '' not null,
    stdin text default '' not null, creator varchar(64) default '' not null, created text not null)`,
  'create index task_meta_creator on task_meta (creator)',
  'create index task_meta_created on task_meta (created)',
  'create table task_action (id integer primary key, action varchar(32) not null, clock integer default 0 not null)',
  "create table task_scheduler (id integer not null, scheduler varchar(128) default '' not null)",
  'create index task_scheduler_id on task_scheduler (id, scheduler)',
  'create table task_scheduler_health (scheduler varchar(128) primary key, clock integer not null)',
  'create index task_scheduler_health_clock on task_scheduler_health (clock)',
  `create table task_host_doing (id integer not null, host varchar(128) not null, clock integer default 0 not null,
    action varchar(16) not null)`,
  'create index task_host_doing_host on task_host_doing (host)',
  // Without both columns, ten thousand deletes out of one big task walk through all its rows each.
  'create index task_host_doing_id on task_host_doing (id, host)',
];

/** Adds the columns that our tables have got since they were made. Where it was done before, it changes nothing. */
export async function addColumns(db: Kysely<Tables>): Promise<void> {
  for (const table of OWN_TABLE_NAMES) {
    const { rows } = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(db);
    const present = new Set(rows.map(({ name }) => name));
    for (const [name, declaration] of declarations(table, 'sqlite')) {
      if (present.has(name)) continue;
      await sql.raw(`alter table "${table}" add column "${name}" ${declaration}`).execute(db);
    }
  }
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  const hostTables = Array.from({ length: HOST_TABLES }, (_, table) => [
    `create table task_host_${table} (ii integer primary key autoincrement, id integer not null,
      host varchar(128) not null, status varchar(32) not null, stdout text, stderr text)`,
    `create unique index task_host_${table}_id on task_host_${table} (id, host)`,
  ]);
  for (const statement of [...ORIGINAL_TABLES, ...hostTables.flat()]) await sql.raw(statement).execute(db);
  for (const table of ['ibex_cluster', 'ibex_run', 'ibex_agent'] as const) await createOwn(db, table);
}

async function createIdempotencyKeys(db: Kysely<unknown>): Promise<void> {
  await createOwn(db, 'ibex_idempotency');
  await db.schema.createIndex('ibex_idempotency_expires').on('ibex_idempotency').column('expires_ms').execute();
}

async function createSessions(db: Kysely<unknown>): Promise<void> {
  for (const table of ['ibex_server', 'ibex_session'] as const) await createOwn(db, table);
}

/** With `created`, the tasks of one creator are counted and paged through without looking at each of them. */
async function widenCreatorIndex(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('task_meta_creator').execute();
  await db.schema.createIndex('task_meta_creator').on('task_meta').columns(['creator', 'created']).execute();
}

/** A row that several columns tell is kept in their order, without a number of its own. */
async function createOwn(db: Kysely<unknown>, table: OwnTable): Promise<void> {
  const { key } = OWN_TABLES[table];
  const [only, ...others] = key;
  const columns = declarations(table, 'sqlite').map(([name, declaration]) =>
    others.length === 0 && name === only
      ? `"${name}" ${declaration.replace(' not null', '')} primary key`
      : `"${name}" ${declaration}`,
  );
  if (others.length > 0) {
    columns.push(`constraint "${table}_key" primary key (${key.map((name) => `"${name}"`).join(', ')})`);
  }
  const end = others.length > 0 ? ' without rowid' : '';
  await sql.raw(`create table "${table}" (${columns.join(', ')})${end}`).execute(db);
}
