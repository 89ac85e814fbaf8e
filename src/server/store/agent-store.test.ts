import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentRecord } from './store.js';
import { StoreFixture } from './testing/store-fixture.js';
import { testDatabases } from './testing/test-databases.js';

for (const database of testDatabases) {
  const options = { skip: database.skip };
  describe(`agents in the store on ${database.name}`, options, () => {
    it('are pinned, seen again and forgotten', async () => {
      await using f = await StoreFixture.open(database.place());
      const record: AgentRecord = {
        host: 'a',
        key: 'k1',
        storeId: 's',
        bootId: 'b',
        version: '1',
        kind: 'ibex',
        firstSeenMs: 100,
        lastSeenMs: 100,
      };
      await f.store.saveAgent(record);
      await f.store.saveAgent({ ...record, key: 'k2', firstSeenMs: 200, lastSeenMs: 200 });
      assert.deepEqual(await f.store.agent('a'), { ...record, lastSeenMs: 200 }, 'a key is never overwritten');
      const rival = { ...record, key: 'k2', lastSeenMs: 300 };
      assert.deepEqual(await f.store.pinAgent(rival), { ...record, lastSeenMs: 200 }, 'the first key holds');
      assert.equal(await f.store.agent('A'), undefined);
      assert.equal(await f.store.forgetAgent('a'), true);
      assert.equal(await f.store.forgetAgent('a'), false);
      assert.equal(await f.store.forgetAgent('zz'), false);
      assert.deepEqual(await f.store.agents(), [{ ...record, key: '', lastSeenMs: 200 }]);
      await f.store.saveAgent({ ...record, lastSeenMs: 400 });
      assert.deepEqual(await f.store.agent('a'), { ...record, key: '', lastSeenMs: 400 }, 'a forgotten key stays so');
      assert.equal((await f.store.pinAgent(rival)).key, 'k2');
    });
  });
}
