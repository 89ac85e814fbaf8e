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
};

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
  await db.schema
    .createTable('task_meta')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('title', 'varchar(255)', (column) => column.notNull().defaultTo(''))
    .addColumn('account', 'varchar(64)', (column) => column.notNull())
    .addColumn('batch', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('tolerance', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('timeout', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('pause', 'varchar(255)', (column) => column.notNull().defaultTo(''))
    .addColumn('script', 'text', (column) => column.notNull())
    .addColumn('args', 'varchar(512)', (column) => column.notNull().defaultTo(''))
    .addColumn('stdin', 'text', (column) => column.notNull().defaultTo(''))
    .addColumn('creator', 'varchar(64)', (column) => column.notNull().defaultTo(''))
    .addColumn('created', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('task_meta_creator').on('task_meta').column('creator').execute();
  await db.schema.createIndex('task_meta_created').on('task_meta').column('created').execute();

  await db.schema
    .createTable('task_action')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('action', 'varchar(32)', (column) => column.notNull())
    .addColumn('clock', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();

  await db.schema
    .createTable('task_scheduler')
    .addColumn('id', 'integer', (column) => column.notNull())
    .addColumn('scheduler', 'varchar(128)', (column) => column.notNull().defaultTo(''))
    .execute();
  await db.schema.createIndex('task_scheduler_id').on('task_scheduler').columns(['id', 'scheduler']).execute();

  await db.schema
    .createTable('task_scheduler_health')
    .addColumn('scheduler', 'varchar(128)', (column) => column.primaryKey())
    .addColumn('clock', 'integer', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('task_scheduler_health_clock').on('task_scheduler_health').column('clock').execute();

  await db.schema
    .createTable('task_host_doing')
    .addColumn('id', 'integer', (column) => column.notNull())
    .addColumn('host', 'varchar(128)', (column) => column.notNull())
    .addColumn('clock', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('action', 'varchar(16)', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('task_host_doing_host').on('task_host_doing').column('host').execute();
  // Without both columns, ten thousand deletes out of one big task walk through all its rows each.
  await db.schema.createIndex('task_host_doing_id').on('task_host_doing').columns(['id', 'host']).execute();

  for (let table = 0; table < HOST_TABLES; table++) {
    await db.schema
      .createTable(`task_host_${table}`)
      .addColumn('ii', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('id', 'integer', (column) => column.notNull())
      .addColumn('host', 'varchar(128)', (column) => column.notNull())
      .addColumn('status', 'varchar(32)', (column) => column.notNull())
      .addColumn('stdout', 'text')
      .addColumn('stderr', 'text')
      .execute();
    await db.schema
      .createIndex(`task_host_${table}_id`)
      .on(`task_host_${table}`)
      .columns(['id', 'host'])
      .unique()
      .execute();
  }

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
