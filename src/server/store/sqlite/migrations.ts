import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { HOST_TABLES } from '../schema/tables.js';

/** The schema's history on SQLite, by name in order. A migration that was ever released is never changed. */
export const sqliteMigrations: Readonly<Record<string, Migration>> = {
  '0001-tables': { up: createTables },
  '0002-once-keys': { up: createOnceKeys },
  '0003-sessions': { up: createSessions },
  '0004-list-index': { up: widenCreatorIndex },
};

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

  await db.schema
    .createTable('ibex_cluster')
    .addColumn('id', 'varchar(32)', (column) => column.primaryKey())
    .addColumn('server_key', 'text', (column) => column.notNull())
    .addColumn('last_task_id', 'integer', (column) => column.notNull())
    .execute();

  await db.schema
    .createTable('ibex_run')
    .addColumn('task_id', 'integer', (column) => column.notNull())
    .addColumn('host', 'varchar(128)', (column) => column.notNull())
    .addColumn('clock', 'integer', (column) => column.notNull())
    .addColumn('exit_code', 'integer')
    .addColumn('signal', 'integer')
    .addColumn('reason', 'varchar(32)')
    .addColumn('started_ms', 'integer')
    .addColumn('ended_ms', 'integer')
    .addColumn('stdout_bytes', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('stderr_bytes', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('stdout_truncated', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('stderr_truncated', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('late', 'integer', (column) => column.notNull().defaultTo(0))
    .addPrimaryKeyConstraint('ibex_run_key', ['task_id', 'host', 'clock'])
    .modifyEnd(sql`without rowid`)
    .execute();

  await db.schema
    .createTable('ibex_agent')
    .addColumn('host', 'varchar(128)', (column) => column.primaryKey())
    .addColumn('public_key', 'varchar(64)', (column) => column.notNull())
    .addColumn('store_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('boot_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('version', 'varchar(64)', (column) => column.notNull())
    .addColumn('kind', 'varchar(32)', (column) => column.notNull())
    .addColumn('first_seen_ms', 'integer', (column) => column.notNull())
    .addColumn('last_seen_ms', 'integer', (column) => column.notNull())
    .execute();
}

async function createOnceKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ibex_idempotency')
    .addColumn('request_key', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('task_id', 'integer', (column) => column.notNull())
    .addColumn('expires_ms', 'integer', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('ibex_idempotency_expires').on('ibex_idempotency').column('expires_ms').execute();
}

async function createSessions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ibex_server')
    .addColumn('instance', 'varchar(36)', (column) => column.primaryKey())
    .addColumn('name', 'varchar(128)', (column) => column.notNull())
    .addColumn('version', 'varchar(64)', (column) => column.notNull())
    .addColumn('seen_ms', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('ibex_session')
    .addColumn('instance', 'varchar(36)', (column) => column.notNull())
    .addColumn('host', 'varchar(128)', (column) => column.notNull())
    .addColumn('address', 'varchar(64)', (column) => column.notNull())
    .addColumn('since_ms', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('ibex_session_key', ['instance', 'host'])
    .modifyEnd(sql`without rowid`)
    .execute();
}

/** With `created`, the tasks of one creator are counted and paged through without looking at each of them. */
async function widenCreatorIndex(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('task_meta_creator').execute();
  await db.schema.createIndex('task_meta_creator').on('task_meta').columns(['creator', 'created']).execute();
}
