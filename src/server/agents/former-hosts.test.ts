import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HelloFrame } from '../../shared/protocol/agent-frames.js';
import { SqlitePlace, silentLog } from '../store/testing/store-place.js';
import { StoreFixture } from '../store/testing/store-fixture.js';
import { AgentRecords } from './agent-records.js';

test('an agent had another Host before only with the same key, and on the same machine since its start', async () => {
  await using f = await StoreFixture.open(new SqlitePlace());
  await using records = await AgentRecords.load(f.store, silentLog, () => Date.now());
  const hello = (host: string, key: string, bootId: string): HelloFrame => {
    return { t: 'hello', versions: [1], host, key, bootId, agent: '1', instance: host, storeId: 's', nonce: '' };
  };
  await records.pin(hello('old-name', 'k', 'boot'));
  await records.pin(hello('copy', 'k', 'boot of a clone'));
  await records.pin(hello('other', 'k2', 'boot'));
  await records.pin(hello('new-name', 'k', 'boot'));
  assert.deepEqual(records.formerHosts(hello('new-name', 'k', 'boot')), ['old-name']);
});
