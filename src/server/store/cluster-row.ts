import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { createIdentity, loadIdentity } from '../../shared/protocol/opening.js';
import { StatementError, type SqlEngine } from './engine.js';
import type { Tables } from './schema/tables.js';
import { StoreError, type ClusterIdentity } from './store.js';

/** Reads who this database is, and on the first opening makes it up. Throws StoreError if the row can't be used. */
export async function openCluster(engine: SqlEngine, db: Kysely<Tables>): Promise<ClusterIdentity> {
  const found = await readCluster(engine, db);
  if (found) return found;
  const row = { id: randomBytes(16).toString('hex'), server_key: createIdentity().pem, last_task_id: 0 };
  // Another server may be opening the same new database; only one of the two rows goes in, and both read that one.
  const insert = db
    .insertInto('ibex_cluster')
    .columns(['id', 'server_key', 'last_task_id'])
    .expression(
      db
        .selectNoFrom((eb) => [
          eb.val(row.id).as('id'),
          eb.val(row.server_key).as('server_key'),
          eb.val(0).as('last_task_id'),
        ])
        .where((eb) => eb.not(eb.exists(eb.selectFrom('ibex_cluster').select('ibex_cluster.id')))),
    );
  const [outcome] = await engine.transaction([{ statements: [engine.compile(insert)] }]);
  if (outcome instanceof StatementError && outcome.fault !== 'duplicate') throw outcome.refusal ?? outcome;
  const made = await readCluster(engine, db);
  if (!made) throw new StoreError('the database does not keep the id of its cluster');
  return made;
}

async function readCluster(engine: SqlEngine, db: Kysely<Tables>): Promise<ClusterIdentity | undefined> {
  const [row] = await engine.query(db.selectFrom('ibex_cluster').select(['id', 'server_key']).compile());
  if (!row) return undefined;
  try {
    return { id: row.id, identity: loadIdentity(row.server_key) };
  } catch (error) {
    throw new StoreError('the key in the table ibex_cluster is no Ed25519 private key', { cause: error });
  }
}
