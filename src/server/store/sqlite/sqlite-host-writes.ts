import type { Kysely } from 'kysely';
import type { HostChange, HostText, HostWrites } from '../dialect.js';
import type { Tables } from '../schema/tables.js';
import { RowsTemplate, Template } from './template.js';

export const ROWS_PER_INSERT = 128;

/** Writes into one table of hosts. */
export function sqliteHostWrites(db: Kysely<Tables>, table: `task_host_${number}`): HostWrites {
  return {
    insert: new RowsTemplate(ROWS_PER_INSERT, (rows) =>
      db.insertInto(table).values(rows.map((s) => ({ id: s('id'), host: s('host'), status: s('status') }))),
    ),
    status: Template.of<HostChange>(
      (s) =>
        db
          .updateTable(table)
          .set({ status: s('to') })
          .where('id', '=', s('id'))
          .where('host', '=', s('host'))
          .where('status', '=', s('from')),
      { expectRows: 1 },
    ),
    output: Template.of<HostChange & HostText>(
      (s) =>
        db
          .updateTable(table)
          .set({ status: s('to'), stdout: s('stdout'), stderr: s('stderr') })
          .where('id', '=', s('id'))
          .where('host', '=', s('host'))
          .where('status', '=', s('from')),
      { expectRows: 1 },
    ),
    outputOnly: Template.of<HostText>((s) =>
      db
        .updateTable(table)
        .set({ stdout: s('stdout'), stderr: s('stderr') })
        .where('id', '=', s('id'))
        .where('host', '=', s('host')),
    ),
  };
}
