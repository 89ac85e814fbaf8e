import assert from 'node:assert/strict';
import { it } from 'node:test';
import { StaleStateError } from '../store.js';
import { detailOf } from '../testing/sample-task.js';
import { StoreFixture } from '../testing/store-fixture.js';
import { mysqlPlace, testMysql } from '../testing/test-databases.js';

const RUNS = 200;

it(
  'of one server that gives a start up and one that sends it at the same moment, one fails',
  { skip: 'missing' in testMysql && testMysql.missing },
  async () => {
    await using f = await StoreFixture.open(mysqlPlace());
    await using another = await f.place.open();
    const hosts = Array.from({ length: RUNS }, (_, i) => `h${i}`);
    const taskId = await f.create(Object.fromEntries(hosts.map((host) => [host, 5])));
    const races = hosts.map(async (host) => {
      const detail = detailOf(taskId, host, 5, { reason: 'not-started', endedMs: null });
      const [sent, givenUp] = await Promise.allSettled([
        another.commit([{ kind: 'dispatch-stored', taskId, host, run: { taskId, clock: 5 } }]),
        f.store.commit([
          { kind: 'not-dispatched', taskId, host, clock: 5 },
          { kind: 'end-host', taskId, host, from: 'running', to: 'killed', output: undefined, detail },
        ]),
      ]);
      assert.notEqual(sent.status, givenUp.status, host);
      for (const outcome of [sent, givenUp]) {
        if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof StaleStateError, String(outcome.reason));
      }
      return [host, sent.status === 'fulfilled' ? 'running' : 'killed'] as const;
    });
    const expected = Object.fromEntries(await Promise.all(races));
    const rows = (await f.store.openTask(taskId))?.hosts ?? [];
    assert.deepEqual(Object.fromEntries(rows.map(({ host, status }) => [host, status])), expected);
    for (const { host, status, dispatched: taken } of rows) assert.equal(taken, status === 'running', host);
  },
);
