import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { StoreFixture } from '../store/testing/store-fixture.js';
import { SqlitePlace } from '../store/testing/store-place.js';
import { testDatabases } from '../store/testing/test-databases.js';
import { KeptLog } from '../testing/test-server.js';
import { AgentRecords } from '../agents/agent-records.js';
import { KnownHosts } from './known-hosts.js';

const nowMs = (): number => Date.now();
const LIMITS = { hosts: 20, goneMs: 60_000 };

for (const database of testDatabases) {
  const options = { skip: database.skip };
  test(`names that are invented for ever are forgotten, not those in use, on ${database.name}`, options, async () => {
    await using f = await StoreFixture.open(database.place());
    const log = new KeptLog();
    await f.store.saveAgent(recordOf('with a key', { key: 'k' }));
    await f.store.saveAgent(recordOf('with another server', { lastSeenMs: 1 }));
    await f.store.saveSessions('another', [{ host: 'with another server', address: '10.0.0.1', sinceMs: 1 }]);
    await using records = await AgentRecords.load(f.store, log, () => Date.now());
    const busy = new Set(['busy']);
    using known = new KnownHosts({ records, forget: (host) => !busy.has(host), log, nowMs }, LIMITS);
    records.seenLegacy('busy', 'categraf');
    for (let i = 0; i < LIMITS.hosts; i++) records.seenLegacy(`invented-${i}`, 'legacy');
    await known.forgetGone();
    assert.equal(records.keyless, 18);
    const left = new Set([...records.all()].map(({ host }) => host));
    assert.ok(left.has('with a key') && left.has('busy') && left.has('invented-19'));
    assert.ok(!left.has('invented-0'), 'the oldest');
    const stored = new Set((await f.store.agents()).map(({ host }) => host));
    // Another server has it; that is not known here, but to the database it is.
    assert.deepEqual(stored, new Set([...left, 'with another server']));
    assert.equal(records.twin('INVENTED-0'), undefined);
    assert.equal(log.lines.filter(({ message }) => /are forgotten/.test(message)).length, 1);
  });
}

test('a host that has been gone for long is forgotten', async () => {
  await using f = await StoreFixture.open(new SqlitePlace());
  const log = new KeptLog();
  await f.store.saveAgent(recordOf('long gone', { lastSeenMs: Date.now() - 2 * LIMITS.goneMs }));
  await f.store.saveAgent(recordOf('just gone', { lastSeenMs: Date.now() }));
  await using records = await AgentRecords.load(f.store, log, () => Date.now());
  using known = new KnownHosts({ records, forget: () => true, log, nowMs }, LIMITS);
  await known.forgetGone();
  assert.deepEqual(
    (await f.store.agents()).map(({ host }) => host),
    ['just gone'],
  );
});

test('more hosts than a call can have arguments are forgotten at once', async () => {
  const place = new SqlitePlace();
  await using f = await StoreFixture.open(place);
  {
    const database = new Database(place.path);
    database
      .prepare(
        `insert into ibex_agent with recursive n(i) as (select 1 union all select i + 1 from n where i < 150000)
         select 'host-' || i, '', 'legacy', '', '', 'legacy', 1, i from n`,
      )
      .run([]);
    database.close();
  }
  await using records = await AgentRecords.load(f.store, new KeptLog(), () => Date.now());
  using known = new KnownHosts({ records, forget: () => true, log: new KeptLog(), nowMs }, LIMITS);
  await known.forgetGone();
  assert.deepEqual([records.keyless, (await f.store.agents()).length], [0, 0]);
});

function recordOf(host: string, more: { readonly key?: string; readonly lastSeenMs?: number }) {
  const seenMs = { firstSeenMs: 1, lastSeenMs: more.lastSeenMs ?? Date.now() };
  return { host, key: more.key ?? '', storeId: 'legacy', bootId: '', version: '', kind: 'legacy', ...seenMs };
}
