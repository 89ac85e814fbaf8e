import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog, SqlitePlace } from '../store/testing/store-place.js';
import { StoreFixture } from '../store/testing/store-fixture.js';
import { testDatabases } from '../store/testing/test-databases.js';
import type { Store } from '../store/store.js';
import { KeptLog } from '../testing/test-server.js';
import { SessionDirectory } from './session-directory.js';
import { until } from '../../shared/testing/until.js';

const TIMES = { markEveryMs: 20, deadAfterMs: 3_000, removeAfterMs: 4_000 };

function start(store: Store, n: number): SessionDirectory {
  const shared = new SessionDirectory(`instance-${n}`, store, silentLog, TIMES);
  shared.start(`10.0.0.${n}:20090`, '1');
  return shared;
}

for (const database of testDatabases) {
  test(
    `${database.name}: sessions come and go, those of a dead server count no more and are removed`,
    { skip: database.skip },
    async () => {
      await using f = await StoreFixture.open(database.place());
      const { store } = f;
      const at = { address: '10.1.1.1', sinceMs: 1_000 };
      await using one = start(store, 1);
      // Marks itself once, like a server that is killed then.
      await store.markServer({ instance: 'instance-2', name: '10.0.0.2:20090', version: '1' });
      await store.saveSessions('instance-2', [
        { host: 'a', ...at },
        { host: 'b', ...at },
      ]);
      assert.deepEqual(await one.others(), [
        { instance: 'instance-2', server: '10.0.0.2:20090', host: 'a', ...at },
        { instance: 'instance-2', server: '10.0.0.2:20090', host: 'b', ...at },
      ]);
      for (let i = 0; i < 450; i++) one.connected({ host: `h${i}`, ...at });
      one.disconnected('h7');
      await until('all are written', async () => (await store.sessions(['instance-1'])).length === 449);
      await until('the dead server counts no more', async () => (await one.others()).length === 0);
      await until('its rows are removed', async () => {
        const marks = await store.serverMarks();
        return marks.length === 1 && marks[0]?.instance === 'instance-1';
      });
      assert.deepEqual(await store.sessions(['instance-2']), []);
      await store.removeSessions('instance-1', ['h1', 'h2']);
      await store.removeServer('instance-1');
      await until(
        'one that was taken for dead writes anew',
        async () => (await store.sessions(['instance-1'])).length === 449,
      );
    },
  );
}

test('a server that stops while it writes has nothing to complain of', async () => {
  await using f = await StoreFixture.open(new SqlitePlace());
  const log = new KeptLog();
  const { store } = f;
  const shared = new SessionDirectory('instance-1', store, log, TIMES);
  for (let i = 0; i < 450; i++) shared.connected({ host: `h${i}`, address: '10.1.1.1', sinceMs: 1_000 });
  const stopped = new Promise<void>((resolve) => {
    const saveSessions = store.saveSessions.bind(store);
    store.saveSessions = async (instance, sessions) => {
      await saveSessions(instance, sessions);
      resolve(shared[Symbol.asyncDispose]());
    };
  });
  shared.start('10.0.0.1:20090', '1');
  await stopped;
  assert.deepEqual(log.lines, []);
});
