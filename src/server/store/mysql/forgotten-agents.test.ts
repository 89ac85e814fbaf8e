import assert from 'node:assert/strict';
import { it } from 'node:test';
import { StoreFixture } from '../testing/store-fixture.js';
import type { MysqlPlace } from '../testing/mysql-place.js';
import { mysqlPlace, testMysql } from '../testing/test-databases.js';

const skip = 'missing' in testMysql && testMysql.missing;
const SESSIONS = 2_000;
const FORGOTTEN = 500;

/** Rows that the server has read one after the other since its start. */
async function rowsRead(place: MysqlPlace): Promise<number> {
  const counts = await place.run(
    "show global status where variable_name in ('Handler_read_next', 'Handler_read_rnd_next')",
  );
  return counts.reduce((sum, { Value }) => sum + Number(Value), 0);
}

it('agents are forgotten without a look through all sessions for each of them', { skip }, async () => {
  await using f = await StoreFixture.open(mysqlPlace());
  const hosts = Array.from({ length: FORGOTTEN }, (_, i) => `gone-${i}`);
  const record = { key: '', storeId: '', bootId: '', version: '', kind: '', firstSeenMs: 1, lastSeenMs: 1 };
  await Promise.all([...hosts, 'still-here'].map((host) => f.store.saveAgent({ ...record, host })));
  const sessions = Array.from({ length: SESSIONS }, (_, i) => ({ host: `here-${i}`, address: '', sinceMs: 1 }));
  await f.store.saveSessions('one', [...sessions, { host: 'still-here', address: '', sinceMs: 1 }]);
  const before = await rowsRead(f.place);
  await f.store.removeAgents([...hosts, 'still-here'], 1);
  const read = (await rowsRead(f.place)) - before;
  assert.deepEqual(
    (await f.store.agents()).map(({ host }) => host),
    ['still-here'],
  );
  // Others use the server, too.
  assert.ok(read < (SESSIONS * FORGOTTEN) / 4, `${read} rows`);
});
