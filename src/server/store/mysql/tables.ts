import { declarations, HOST, OWN_TABLES, type OwnTable } from '../schema/columns.js';
import { HOST_TABLES } from '../schema/tables.js';

const ENGINE = 'ENGINE = InnoDB DEFAULT CHARSET = utf8mb4';
const HOST_COLUMN = `\`host\` ${HOST.mysql}`;

/** The columns of each table as a fresh database gets them. sql/ibex.sql says the same, for those who make it by hand. */
export const MYSQL_TABLES: Readonly<Record<string, readonly string[]>> = {
  task_meta: [
    '`id` bigint unsigned NOT NULL AUTO_INCREMENT',
    "`title` varchar(255) NOT NULL DEFAULT ''",
    '`account` varchar(64) NOT NULL',
    '`batch` int unsigned NOT NULL DEFAULT 0',
    '`tolerance` int unsigned NOT NULL DEFAULT 0',
    "`timeout` int unsigned NOT NULL DEFAULT 0 COMMENT 'seconds'",
    "`pause` varchar(255) NOT NULL DEFAULT ''",
    '`script` text NOT NULL',
    "`args` varchar(512) NOT NULL DEFAULT ''",
    '`stdin` mediumtext',
    "`creator` varchar(64) NOT NULL DEFAULT ''",
    '`created` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP',
    'PRIMARY KEY (`id`)',
    'KEY `creator` (`creator`, `created`)',
    'KEY `created` (`created`)',
  ],
  task_action: [
    '`id` bigint unsigned NOT NULL',
    '`action` varchar(32) NOT NULL',
    '`clock` bigint NOT NULL DEFAULT 0',
    'PRIMARY KEY (`id`)',
  ],
  task_scheduler: [
    '`id` bigint unsigned NOT NULL',
    "`scheduler` varchar(128) NOT NULL DEFAULT ''",
    'KEY `id` (`id`, `scheduler`)',
  ],
  task_scheduler_health: [
    '`scheduler` varchar(128) NOT NULL',
    '`clock` bigint NOT NULL',
    'UNIQUE KEY `scheduler` (`scheduler`)',
    'KEY `clock` (`clock`)',
  ],
  task_host_doing: [
    '`id` bigint unsigned NOT NULL',
    HOST_COLUMN,
    '`clock` bigint NOT NULL DEFAULT 0',
    '`action` varchar(16) NOT NULL',
    'KEY `id` (`id`, `host`)',
    'KEY `host` (`host`)',
  ],
  ...Object.fromEntries(Array.from({ length: HOST_TABLES }, (_, table) => [`task_host_${table}`, hostColumns()])),
  ...own('ibex_cluster', [
    "`only` tinyint unsigned NOT NULL DEFAULT 1 COMMENT 'keeps it at one row'",
    'UNIQUE KEY `only` (`only`)',
  ]),
  ...own('ibex_run'),
  ...own('ibex_task'),
  ...own('ibex_agent'),
  ...own('ibex_server'),
  ...own('ibex_session'),
  ...own('ibex_idempotency', ['KEY `expires_ms` (`expires_ms`)']),
  ibex_writer: [
    '`id` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL',
    '`seq` bigint unsigned NOT NULL',
    '`fenced` tinyint NOT NULL DEFAULT 0',
    '`used` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP',
    'PRIMARY KEY (`id`)',
    'KEY `used` (`used`)',
  ],
};

export function createTable(name: string): string {
  const columns = MYSQL_TABLES[name];
  if (!columns) throw new Error(`no such table: ${name}`);
  return `CREATE TABLE IF NOT EXISTS \`${name}\` (\n  ${columns.join(',\n  ')}\n) ${ENGINE}`;
}

function hostColumns(): readonly string[] {
  return [
    '`ii` bigint unsigned NOT NULL AUTO_INCREMENT',
    '`id` bigint unsigned NOT NULL',
    HOST_COLUMN,
    '`status` varchar(32) NOT NULL',
    '`stdout` text',
    '`stderr` text',
    'PRIMARY KEY (`ii`)',
    'UNIQUE KEY `id` (`id`, `host`)',
  ];
}

function own(table: OwnTable, more: readonly string[] = []): Readonly<Record<string, readonly string[]>> {
  const declared = declarations(table, 'mysql').map(([name, declaration]) => `\`${name}\` ${declaration}`);
  const primary = `PRIMARY KEY (${OWN_TABLES[table].key.map((name) => `\`${name}\``).join(', ')})`;
  return { [table]: [...declared, primary, ...more] };
}
